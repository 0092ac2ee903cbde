//! Lanes, rejections and boots in SQLite.

use otter_proto::error::ErrorCode;
use otter_proto::frame::{Lane, Rejection};
use otter_proto::id::{BootId, EventId, InstanceId};
use rusqlite::params;

use super::SqliteRows;
use crate::ledger::{LaneRow, LaneRows, StoreError};
use crate::store::sqlite::convert::{int, text, uint, word};

impl LaneRows for SqliteRows<'_> {
    fn lane(&mut self, instance: &InstanceId, lane: Lane) -> Result<Option<LaneRow>, StoreError> {
        self.one(
            "SELECT producer_epoch, up_to, last_id FROM lanes WHERE org = ?1 AND instance = ?2 AND lane = ?3",
            params![self.org_id()?, instance.as_str(), lane.as_str()],
            |row| {
                let last_id: Option<String> = row.get(2)?;
                let last_id = last_id.map(|_| text(row, 2, EventId::new)).transpose()?;
                Ok(LaneRow { producer_epoch: uint(row, 0)?, up_to: uint(row, 1)?, last_id })
            },
        )
    }

    fn put_lane(&mut self, instance: &InstanceId, lane: Lane, row: &LaneRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO lanes (org, instance, lane, producer_epoch, up_to, last_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (org, instance, lane) DO UPDATE SET producer_epoch = ?4, up_to = ?5, last_id = ?6",
            params![
                self.org_id()?,
                instance.as_str(),
                lane.as_str(),
                int(row.producer_epoch),
                int(row.up_to),
                row.last_id.as_ref().map(EventId::as_str)
            ],
        )?;
        Ok(())
    }

    fn rejections(&mut self, instance: &InstanceId, lane: Lane) -> Result<Vec<Rejection>, StoreError> {
        self.all(
            "SELECT n, event_id, code, pointer FROM rejections
             WHERE org = ?1 AND instance = ?2 AND lane = ?3 ORDER BY n",
            params![self.org_id()?, instance.as_str(), lane.as_str()],
            |row| {
                let id: Option<String> = row.get(1)?;
                Ok(Rejection {
                    n: uint(row, 0)?,
                    id: id.map(|_| text(row, 1, EventId::new)).transpose()?,
                    code: word(row, 2, ErrorCode::parse)?,
                    pointer: row.get(3)?,
                })
            },
        )
    }

    fn put_rejection(
        &mut self,
        instance: &InstanceId,
        lane: Lane,
        rejection: &Rejection,
    ) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO rejections (org, instance, lane, n, event_id, code, pointer)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                self.org_id()?,
                instance.as_str(),
                lane.as_str(),
                int(rejection.n),
                rejection.id.as_ref().map(EventId::as_str),
                rejection.code.as_str(),
                rejection.pointer
            ],
        )?;
        Ok(())
    }

    fn drop_rejections(&mut self, instance: &InstanceId, lane: Lane, up_to: u64) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM rejections WHERE org = ?1 AND instance = ?2 AND lane = ?3 AND n <= ?4",
            params![self.org_id()?, instance.as_str(), lane.as_str(), int(up_to)],
        )?;
        Ok(())
    }

    fn boot(&mut self, instance: &InstanceId) -> Result<Option<BootId>, StoreError> {
        self.one(
            "SELECT boot FROM boots WHERE org = ?1 AND instance = ?2",
            params![self.org_id()?, instance.as_str()],
            |row| text(row, 0, BootId::new),
        )
    }

    fn put_boot(&mut self, instance: &InstanceId, boot: &BootId) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO boots (org, instance, boot) VALUES (?1, ?2, ?3)
             ON CONFLICT (org, instance) DO UPDATE SET boot = ?3",
            params![self.org_id()?, instance.as_str(), boot.as_str()],
        )?;
        Ok(())
    }
}
