use pretty_assertions::assert_eq;

use super::*;
use crate::frame::PrincipalType;
use crate::id::OrgId;

fn ada() -> Principal {
    Principal {
        principal_type: PrincipalType::Member,
        id: "mb_1".to_owned(),
        org: OrgId::new("org_1").unwrap(),
        name: Some("Ada \"L\"".to_owned()),
        role: None,
    }
}

fn predicted(kind: &str, data: &str) -> Vec<Predicted> {
    let (command, instance) = (CommandId::new("0190-c").unwrap(), InstanceId::new("in_1").unwrap());
    predict(kind, data, &command, &ada(), &instance)
}

#[test]
fn a_sent_message_is_a_pending_row_of_its_conversation() {
    let rows = predicted("message.send", r#"{"conversationId":"in_1:abc","text":"say \"hi\"\n"}"#);
    let want = Predicted {
        kind: "message.created",
        class: Class::Create,
        scope: Scope::parse("conversation/in_1:abc").unwrap(),
        key: EntityKey::parse("message/in_1:0190-c:user").unwrap(),
        text: r#"{"author":{"id":"mb_1","name":"Ada \"L\"","type":"member"},"commandId":"0190-c","conversationId":"in_1:abc","delivery":{"state":"pending"},"status":"complete","text":"say \"hi\"\n"}"#.to_owned(),
    };
    assert_eq!(rows, vec![want]);
}

/// (kind, class, scope, entity, text) of what each command predicts.
type Row = (&'static str, Class, &'static str, &'static str, &'static str);

const ADA: &str = r#"{"id":"mb_1","name":"Ada \"L\"","type":"member"}"#;

/// Commands with their data, and what they predict; `ADA` stands for the author.
const TABLE: &[(&str, &str, &[Row])] = &[
    (
        "approval.decide",
        r#"{"approvalId":"in_1:a","decision":"allow-once","rev":41}"#,
        &[(
            "approval.decided",
            Class::Update,
            "org",
            "approval/in_1:a",
            r#"{"by":ADA,"commandId":"0190-c","decision":"allow-once","state":"decided"}"#,
        )],
    ),
    (
        "conversation.update",
        r#"{"archived":false,"conversationId":"in_1:abc","folder":null,"title":" \"Trails\"\n"}"#,
        &[(
            "conversation.updated",
            Class::Update,
            "org",
            "conversation/in_1:abc",
            r#"{"archived":false,"folder":null,"title":"\"Trails\""}"#,
        )],
    ),
    (
        "conversation.markRead",
        r#"{"conversationId":"in_1:abc","messageCount":12}"#,
        &[(
            "mark.updated",
            Class::Upsert,
            "member/mb_1",
            "mark/in_1:abc",
            r#"{"messageCount":12,"target":"conversation"}"#,
        )],
    ),
    (
        "feed.markRead",
        r#"{"itemIds":["in_1:f","in_1:g"]}"#,
        &[
            ("mark.updated", Class::Upsert, "member/mb_1", "mark/in_1:f", r#"{"target":"feed"}"#),
            ("mark.updated", Class::Upsert, "member/mb_1", "mark/in_1:g", r#"{"target":"feed"}"#),
        ],
    ),
    (
        "feed.archive",
        r#"{"archived":true,"itemIds":["in_1:f"]}"#,
        &[(
            "feed.itemUpdated",
            Class::Update,
            "org",
            "feedItem/in_1:f",
            r#"{"archived":true,"archivedBy":ADA}"#,
        )],
    ),
    (
        "feed.archive",
        r#"{"archived":false,"itemIds":["in_1:f"]}"#,
        &[(
            "feed.itemUpdated",
            Class::Update,
            "org",
            "feedItem/in_1:f",
            r#"{"archived":null,"archivedAt":null,"archivedBy":null}"#,
        )],
    ),
    (
        "task.create",
        r#"{"agentId":"in_1:juno","title":" Write it "}"#,
        &[(
            "task.upserted",
            Class::Create,
            "org",
            "task/hub:0190-c",
            r#"{"agentId":"in_1:juno","by":ADA,"origin":"person","status":"todo","title":"Write it"}"#,
        )],
    ),
    (
        "task.update",
        r#"{"description":null,"status":"done","taskId":"hub:t"}"#,
        &[("task.upserted", Class::Update, "org", "task/hub:t", r#"{"description":null,"status":"done"}"#)],
    ),
];

#[test]
fn each_command_predicts_what_the_hub_writes_when_it_accepts_it() {
    for (kind, data, rows) in TABLE {
        let want: Vec<Predicted> = rows
            .iter()
            .map(|&(kind, class, scope, entity, text)| Predicted {
                kind,
                class,
                scope: Scope::parse(scope).unwrap(),
                key: EntityKey::parse(entity).unwrap(),
                text: text.replace("ADA", ADA),
            })
            .collect();
        assert_eq!(predicted(kind, data), want, "{kind} {data}");
    }
}

#[test]
fn a_prediction_without_an_instance_is_made_where_none_is_needed() {
    let command = CommandId::new("0190-c").unwrap();
    let rows = |kind, data| predict(kind, data, &command, &ada(), None).len();
    assert_eq!(rows("message.send", r#"{"conversationId":"in_1:abc","text":"hi"}"#), 0);
    assert_eq!(rows("task.create", r#"{"title":"x"}"#), 1);
}

#[cfg(feature = "serde")]
#[test]
fn what_is_predicted_is_canonical_and_fits_the_catalogue() {
    let message = ("message.send", r#"{"conversationId":"in_1:abc","text":"hi"}"#);
    let commands = TABLE.iter().map(|(kind, data, _)| (*kind, *data)).chain([message]);
    for row in commands.flat_map(|(kind, data)| predicted(kind, data)) {
        assert_eq!(text::canonicalise(&row.text, text::Numbers::Rfc8785).as_ref(), Ok(&row.text));
        let kind = crate::catalogue::kind(row.kind).unwrap();
        assert_eq!(kind.entity_type, row.key.entity_type());
        let is_new = row.class == Class::Create && kind.class == Class::Upsert;
        let is_patch = row.class == Class::Update && kind.class == Class::Upsert;
        assert!(is_new || is_patch || row.class == kind.class, "{}", row.kind);
    }
    let text = &predicted(message.0, message.1)[0].text;
    serde_json::from_str::<crate::kind::MessageCreated>(text).unwrap();
}

#[test]
fn nothing_is_predicted_for_what_is_not_understood() {
    for (kind, data) in [
        ("run.abort", r#"{"conversationId":"in_1:abc","runId":"in_1:r"}"#),
        ("message.send", r#"{"conversationId":"in_1:abc","text":1}"#),
        ("message.send", r#"{"conversationId":"a b","text":"x"}"#),
        ("message.send", r#"{"text":"x"}"#),
        ("message.send", "[]"),
        ("approval.decide", r#"{"approvalId":"in_1:a","rev":3}"#),
        ("approval.decide", r#"{"decision":"deny"}"#),
        ("conversation.update", r#"{"title":"x"}"#),
        ("conversation.markRead", r#"{"conversationId":"in_1:abc"}"#),
        ("feed.markRead", r#"{"itemIds":[]}"#),
        ("feed.archive", r#"{"itemIds":["in_1:f"]}"#),
        ("task.create", r#"{"description":"x"}"#),
        ("task.update", r#"{"title":"x"}"#),
    ] {
        assert_eq!(predicted(kind, data), vec![], "{kind} {data}");
    }
}
