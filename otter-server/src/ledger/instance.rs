//! Instances that come and go.

use otter_proto::catalogue::{self, Safety};
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::CommandDispatch;
use otter_proto::frame::{ClientInfo, Lanes};
use otter_proto::id::{BootId, EntityKey, InstanceId, Scope};

use crate::ledger::json::{self, Object};
use crate::ledger::write::Ledger;
use crate::ledger::{End, StoreError};

/// What an instance gets when it is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// What the hub has of its lanes.
    pub lanes: Lanes,
    /// Its open commands, recorded as sent.
    pub outstanding: Vec<CommandDispatch>,
}

impl Ledger<'_> {
    /// Lets an instance in: its boots must name the one the hub knows, `boots[0]` is recorded. Writes
    /// `instance.connected` when it was away or its bridge changed.
    pub fn attach(
        &mut self,
        instance: &InstanceId,
        boots: &[BootId],
        name: Option<&str>,
        bridge: Option<&ClientInfo>,
    ) -> Result<Result<Admitted, ErrorBody>, StoreError> {
        let Some(newest) = boots.first() else {
            let message = "an instance names its process run in `boots`";
            return Ok(Err(ErrorBody::new(ErrorCode::BadFrame, message).at("/boots")));
        };
        if self.is_removed(instance)? {
            return Ok(Err(removed()));
        }
        let known = self.rows.boot(instance)?;
        if known.as_ref().is_some_and(|known| !boots.contains(known)) {
            let message = "another copy of this instance was connected since: run the one with the newer state \
                           folder, or, if that is gone, run `otter-bridge adopt` with this one";
            return Ok(Err(ErrorBody::new(ErrorCode::Forked, message)));
        }
        if known.as_ref() != Some(newest) {
            self.rows.put_boot(instance, newest)?;
        }
        self.connected(instance, name, bridge)?;
        let outstanding = self.outstanding(instance)?;
        Ok(Ok(Admitted { lanes: self.lanes(instance)?, outstanding }))
    }

    /// Makes a copy of an instance the instance, whatever copy was connected last. What that one was sent and may not
    /// be carried out twice ends as unknown, before anything is handed to this one.
    pub fn adopt(&mut self, instance: &InstanceId, boots: &[BootId]) -> Result<(), StoreError> {
        let Some(newest) = boots.first() else { return Ok(()) };
        if self.rows.boot(instance)?.is_none_or(|known| boots.contains(&known)) {
            return Ok(());
        }
        for (id, row) in self.rows.open_commands(instance)? {
            let once = catalogue::command(&row.kind).is_none_or(|kind| kind.safety == Safety::Once);
            if row.sent && once {
                let message = "another copy of the instance was sent this and may have carried it out";
                self.end_unknown(&id, row, "adopted", message)?;
            }
        }
        self.rows.put_boot(instance, newest)
    }

    fn connected(
        &mut self,
        instance: &InstanceId,
        name: Option<&str>,
        bridge: Option<&ClientInfo>,
    ) -> Result<(), StoreError> {
        let row = match EntityKey::new("instance", instance.as_str()) {
            Ok(key) => self.rows.entity(&Scope::Org, &key)?,
            Err(_) => None,
        };
        let text = row.as_ref().map_or("", |row| row.text.as_str());
        let has = |path, want: Option<&str>| want.is_none() || json::string(text, path).as_deref() == want;
        let same = has("connection", Some("online"))
            && has("name", name)
            && has("bridge.name", bridge.map(|bridge| bridge.name.as_str()))
            && has("bridge.version", bridge.map(|bridge| bridge.version.as_str()));
        if same {
            return Ok(());
        }
        let data = Object::default()
            .string("connectedAt", &self.now.to_string())
            .string("connection", "online")
            .optional("name", name)
            .raw("reason", "null");
        let data = match bridge {
            Some(bridge) => {
                let bridge =
                    Object::default().string("name", &bridge.name).string("version", &bridge.version);
                data.raw("bridge", bridge.build())
            }
            None => data,
        };
        self.write_own("instance.connected", instance.as_str(), Scope::Org, None, data)
    }

    /// Writes `instance.disconnected`, unless the instance is recorded as offline or not at all.
    pub fn disconnected(&mut self, instance: &InstanceId, reason: &str) -> Result<(), StoreError> {
        let Ok(key) = EntityKey::new("instance", instance.as_str()) else { return Ok(()) };
        let row = self.rows.entity(&Scope::Org, &key)?;
        let online = row.is_some_and(|row| is_online(&row.text));
        if !online {
            return Ok(());
        }
        let data = Object::default()
            .string("connection", "offline")
            .string("disconnectedAt", &self.now.to_string())
            .string("reason", reason);
        self.write_own("instance.disconnected", instance.as_str(), Scope::Org, None, data)
    }

    /// The instances that are recorded as online.
    pub fn online(&mut self) -> Result<Vec<InstanceId>, StoreError> {
        let rows = self.rows.live(&Scope::Org, "instance", false, End::Newest, usize::MAX)?;
        let online = rows.iter().filter(|(_, row)| is_online(&row.text));
        Ok(online.filter_map(|(key, _)| InstanceId::new(key.id()).ok()).collect())
    }
}

/// What an instance hears that was taken out of the org.
pub(super) fn removed() -> ErrorBody {
    let message =
        "this instance was removed from its org; add the machine anew with `otter-server instance add`";
    ErrorBody::new(ErrorCode::Revoked, message)
}

fn is_online(text: &str) -> bool {
    json::string(text, "connection").as_deref() == Some("online")
}
