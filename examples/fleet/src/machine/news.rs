//! What a machine tells beside its conversations: the feed, activity, pushes.

use std::time::Duration;

use anyhow::Result;
use otter_proto::UnixMillis;
use otter_proto::id::EntityKey;
use serde_json::{Value, json};

use super::{Machine, draft};
use crate::script;

/// Something happens this often.
const BETWEEN: Duration = Duration::from_secs(11);
/// Items that are there from the beginning, and how far apart they happened.
const PAST: usize = 3;
const APART_MS: u64 = 700_000;

impl Machine {
    /// Items of the feed arrive, in between something was done or pushed.
    pub(super) async fn tell_news(&self) {
        let start = self.script.news_from;
        drop(self.tell_old_news(start).await.and(self.deployed(0).await));
        for n in 0_usize.. {
            tokio::time::sleep(BETWEEN + Duration::from_secs((n as u64 * 5 + start as u64) % 9)).await;
            let told = match n % 4 {
                0 | 2 => self.item(script::feed(), start + PAST + n / 2).await,
                1 => self.activity(start + n / 4).await,
                _ => self.push(start + n / 4).await.and(self.deployed(n / 4 + 1).await),
            };
            drop(told);
        }
    }

    async fn tell_old_news(&self, start: usize) -> Result<()> {
        let now = self.client.now();
        let items = script::feed();
        for n in 0..PAST {
            let Some(item) = items.get((start + n) % items.len()) else { continue };
            let at = UnixMillis(now.0.saturating_sub((3 * (PAST - n) + start / 3) as u64 * APART_MS));
            let id = format!("{}:old-{n}", self.id);
            self.happened("feed.itemAdded", &id, item.clone(), "occurredAt", at).await?;
        }
        Ok(())
    }

    async fn item(&self, items: Vec<Value>, n: usize) -> Result<()> {
        let Some(item) = items.get(n % items.len().max(1)) else { return Ok(()) };
        let id = self.fresh("item", n);
        self.happened("feed.itemAdded", &id, item.clone(), "occurredAt", self.client.now()).await
    }

    async fn activity(&self, n: usize) -> Result<()> {
        let all = script::activities();
        let Some(activity) = all.get(n % all.len().max(1)) else { return Ok(()) };
        let id = self.fresh("activity", n);
        self.happened("activity.recorded", &id, activity.clone(), "occurredAt", self.client.now()).await
    }

    async fn push(&self, n: usize) -> Result<()> {
        let all = script::pushes();
        let Some(push) = all.get(n % all.len().max(1)) else { return Ok(()) };
        let id = self.fresh("push", n);
        self.publish_at("repo.pushed", &id, push.clone(), "pushedAt", self.client.now()).await
    }

    /// An integrator's own entity, from the machine that builds and deploys.
    async fn deployed(&self, n: usize) -> Result<()> {
        if !self.script.roams {
            return Ok(());
        }
        let id = self.fresh("deployment", n);
        let data = json!({
            "instanceId": self.id, "at": self.client.now().to_string(), "state": if n % 4 == 3 { "rolled back" } else { "live" },
            "version": format!("1.8.{n}"), "environment": "staging", "seconds": 50 + n * 17 % 40,
        });
        let row = EntityKey::new("x.demo.deployment", &id)?;
        self.client.publish(draft("x.demo.deployment.ended", &id, None, &data)?.put(row)).await?;
        Ok(())
    }

    async fn happened(
        &self,
        kind: &str,
        id: &str,
        mut data: Value,
        when: &str,
        at: UnixMillis,
    ) -> Result<()> {
        data["instanceId"] = self.id.clone().into();
        self.publish_at(kind, id, data, when, at).await
    }

    async fn publish_at(
        &self,
        kind: &str,
        id: &str,
        mut data: Value,
        when: &str,
        at: UnixMillis,
    ) -> Result<()> {
        data[when] = at.to_string().into();
        self.publish(kind, id, None, &data).await
    }
}
