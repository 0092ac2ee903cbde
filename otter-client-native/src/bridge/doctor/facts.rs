//! What a gateway lets a bridge do, kept so that a look at a running bridge can tell.

use serde::{Deserialize, Serialize};

use crate::bridge::doctor::Finding;
use crate::openclaw::{FEED_LIST, Hello};

/// What a gateway said in its handshake that decides what people get to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayFacts {
    /// Rights that were granted.
    pub scopes: Vec<String>,
    /// Whether it has the feed plugin.
    pub feed: bool,
}

impl GatewayFacts {
    /// Reads them from a handshake.
    #[must_use]
    pub fn read(hello: &Hello) -> Self {
        Self { scopes: hello.scopes.clone(), feed: hello.methods.iter().any(|method| method == FEED_LIST) }
    }

    /// What follows from them, in words.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let has = |scope: &str| self.scopes.iter().any(|granted| granted == scope);
        let approvals = match (has("operator.approvals"), has("operator.admin")) {
            (true, true) => Finding::good("approvals", "the bridge sees every approval of this gateway"),
            (true, false) => Finding::limited("approvals", OWN_APPROVALS),
            (false, _) => Finding::limited("approvals", NO_APPROVALS),
        };
        let feed = if self.feed {
            Finding::good("feed", "agents can push items")
        } else {
            Finding::limited("feed", NO_PLUGIN)
        };
        let mut findings = vec![approvals, feed];
        if !has("operator.admin") {
            findings.push(Finding::limited("reset", NO_RESET));
        }
        findings
    }
}

const OWN_APPROVALS: &str = "the bridge sees only approvals of messages that were sent through it; those of jobs, hooks, phones \
     and the command line wait unseen. To see them let it have operator.admin (`gatewayScopes` in its policy file)";
const NO_APPROVALS: &str = "the bridge sees none: it has no operator.approvals. What needs an approval waits for somebody at the \
     gateway, or is refused there at once";
const NO_PLUGIN: &str = "agents cannot push feed items, the gateway has no plugin for it. To install it: \
     openclaw plugins install ./otter-client-native/openclaw-plugin (from a clone of Otter), then restart the gateway";
const NO_RESET: &str = "sessions cannot be reset from a browser: that takes operator.admin";
