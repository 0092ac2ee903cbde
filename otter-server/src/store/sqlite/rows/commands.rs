//! Commands and replies in SQLite.

use otter_proto::UnixMillis;
use otter_proto::id::{CommandId, InstanceId};
use otter_proto::kind::CommandStage;
use rusqlite::{Row, named_params, params};

use super::SqliteRows;
use crate::ledger::{CommandRow, CommandRows, ReplyRow, StoreError};
use crate::store::sqlite::convert::{instant, int, text, uint, word};

const COMMAND: &str =
    "kind, data, by, instance, address, stage, sent, cancel, seq, issued_at, expires_at, id FROM commands";

impl CommandRows for SqliteRows<'_> {
    fn command(&mut self, id: &CommandId) -> Result<Option<CommandRow>, StoreError> {
        let sql = format!("SELECT {COMMAND} WHERE org = ?1 AND id = ?2");
        self.one(&sql, params![self.org_id()?, id.as_str()], command)
    }

    fn put_command(&mut self, id: &CommandId, row: &CommandRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO commands (org, id, kind, data, by, instance, address, stage, ended, sent, cancel, seq,
             issued_at, expires_at)
             VALUES (:org, :id, :kind, :data, :by, :instance, :address, :stage, :ended, :sent, :cancel, :seq,
             :issued_at, :expires_at)
             ON CONFLICT (org, id) DO UPDATE SET
             stage = :stage, ended = :ended, sent = :sent, cancel = :cancel, expires_at = :expires_at",
            named_params! {
                ":org": self.org_id()?, ":id": id.as_str(), ":kind": row.kind, ":data": row.data, ":by": row.by,
                ":instance": row.instance.as_ref().map(InstanceId::as_str), ":address": row.address,
                ":stage": row.stage.as_str(), ":ended": row.stage.is_final(), ":sent": row.sent,
                ":cancel": row.cancel, ":seq": int(row.seq), ":issued_at": int(row.issued_at.0),
                ":expires_at": int(row.expires_at.0),
            },
        )?;
        Ok(())
    }

    fn open_commands(&mut self, instance: &InstanceId) -> Result<Vec<(CommandId, CommandRow)>, StoreError> {
        let sql = format!("SELECT {COMMAND} WHERE org = ?1 AND instance = ?2 AND ended = 0 ORDER BY seq");
        self.all(&sql, params![self.org_id()?, instance.as_str()], named_command)
    }

    fn count_open_commands(&mut self, instance: &InstanceId) -> Result<u64, StoreError> {
        let count = self.one(
            "SELECT count(*) FROM commands WHERE org = ?1 AND instance = ?2 AND ended = 0",
            params![self.org_id()?, instance.as_str()],
            |row| uint(row, 0),
        )?;
        Ok(count.unwrap_or(0))
    }

    fn overdue_commands(
        &mut self,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(CommandId, CommandRow)>, StoreError> {
        let sql = format!(
            "SELECT {COMMAND} WHERE org = ?1 AND ended = 0 AND sent = 0 AND expires_at <= ?2
             ORDER BY expires_at, seq LIMIT ?3"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.all(&sql, params![self.org_id()?, int(now.0), limit], named_command)
    }

    fn reply(&mut self, id: &CommandId) -> Result<Option<ReplyRow>, StoreError> {
        self.one(
            "SELECT digest, text, at FROM replies WHERE org = ?1 AND id = ?2",
            params![self.org_id()?, id.as_str()],
            |row| Ok(ReplyRow { digest: row.get(0)?, text: row.get(1)?, at: instant(row, 2)? }),
        )
    }

    fn put_reply(&mut self, id: &CommandId, row: &ReplyRow) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO replies (org, id, digest, text, at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.org_id()?, id.as_str(), row.digest, row.text, int(row.at.0)],
        )?;
        Ok(())
    }
}

fn command(row: &Row<'_>) -> Result<CommandRow, rusqlite::Error> {
    let instance: Option<String> = row.get(3)?;
    Ok(CommandRow {
        kind: row.get(0)?,
        data: row.get(1)?,
        by: row.get(2)?,
        instance: instance.map(|_| text(row, 3, InstanceId::new)).transpose()?,
        address: row.get(4)?,
        stage: word(row, 5, CommandStage::parse)?,
        sent: row.get(6)?,
        cancel: row.get(7)?,
        seq: uint(row, 8)?,
        issued_at: instant(row, 9)?,
        expires_at: instant(row, 10)?,
    })
}

fn named_command(row: &Row<'_>) -> Result<(CommandId, CommandRow), rusqlite::Error> {
    Ok((text(row, 11, CommandId::new)?, command(row)?))
}
