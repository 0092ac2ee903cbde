//! Texts that are fetched whole: each that was asked for comes to an end.

use pretty_assertions::assert_eq;

use super::*;

const LONG: &str = "message/in_1:m";
const ENDED: &str = "text message/in_1:m true None true Some(Unavailable)";

fn reading() -> Bench {
    let mut bench = Bench::online(&[CONVERSATION]);
    bench.snapshot(CONVERSATION, 1, 10, &[(LONG, 7, r#"{"text":"head","truncated":true}"#)]);
    bench.told();
    bench
}

fn fetch(bench: &mut Bench) {
    bench.machine.fetch_text(scope(CONVERSATION), entity(LONG));
}

fn fetches(bench: &mut Bench) -> Vec<String> {
    bench.said().into_iter().filter(|frame| frame.contains(r#""type":"fetch""#)).collect()
}

#[test]
fn a_text_whose_scope_is_given_up_ends_with_a_reason_and_may_be_asked_again() {
    let mut bench = reading();
    bench.closed(1006);
    fetch(&mut bench);
    bench.told();
    bench.machine.unsubscribe(&scope(CONVERSATION));
    assert_eq!(bench.gist(), [ENDED]);
    bench.until_open();
    bench.open();
    bench.welcome();
    bench.subscribe(CONVERSATION);
    bench.said();
    bench.hears(&subscribed(CONVERSATION, 2, 10, "resumed"));
    bench.told();
    assert_eq!(fetches(&mut bench), Vec::<String>::new());
    fetch(&mut bench);
    let asked = format!(r#"{{"type":"fetch","id":1,"scope":"{CONVERSATION}","entity":"{LONG}"}}"#);
    assert_eq!((fetches(&mut bench), bench.gist()), (vec![asked], vec![]));
}

#[test]
fn a_part_that_was_not_delivered_comes_before_the_end_and_not_later() {
    let mut bench = reading();
    fetch(&mut bench);
    bench.hears(&format!(
        r#"{{"type":"page","id":1,"rows":[{{"entity":"{LONG}","rev":7,"value":{{"text":"head"}}}}],"asOf":10,"next":{{"order":"5","id":"in_1:m"}},"full":{{"text":"first "}}}}"#
    ));
    bench.machine.unsubscribe(&scope(CONVERSATION));
    let part = r#"text message/in_1:m true Some("{\"text\":\"first \"}") false None"#;
    assert_eq!(bench.gist(), [part, ENDED]);
    bench.subscribe(CONVERSATION);
    assert_eq!(bench.gist(), [format!("{CONVERSATION} Stale None")]);
}

#[test]
fn a_text_of_a_scope_that_is_not_followed_or_not_allowed_ends_at_once() {
    let mut bench = reading();
    bench.machine.fetch_text(scope("conversation/in_1:d"), entity(LONG));
    assert_eq!(bench.gist(), [ENDED]);
    fetch(&mut bench);
    bench.hears(&format!(r#"{{"type":"resync","scope":"{CONVERSATION}","reason":"x"}}"#));
    bench.told();
    bench.hears(&format!(
        r#"{{"type":"subscribed","scope":"{CONVERSATION}","sub":2,"epoch":"e1","head":0,"mode":"denied","reason":"forbidden"}}"#
    ));
    assert_eq!(bench.gist().into_iter().filter(|word| word.starts_with("text")).collect::<Vec<_>>(), [ENDED]);
}
