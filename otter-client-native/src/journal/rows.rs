//! The journal's rows.

use otter_proto::id::CommandId;
use otter_proto::kind::{CommandStage, StageError};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::error::StoreError;
use crate::outbox::unix_ms;
use crate::store::{StoreTx, number, sql};

/// A command as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Its id.
    pub id: CommandId,
    /// Its kind.
    pub kind: String,
    /// What the kind carries, as JSON text.
    pub data: String,
    /// Who asked, as JSON text.
    pub by: String,
    /// How far it is.
    pub stage: JournalStage,
    /// Until when it may be begun, by the local wall clock in milliseconds.
    pub deadline: u64,
}

/// How far a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalStage {
    /// On disk, not begun.
    Received,
    /// Begun; whether it was carried out is not known yet.
    Attempted,
    /// Over.
    Done(CommandEnd),
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandEnd {
    /// Its last stage.
    pub stage: CommandStage,
    /// A word that says more.
    pub result: Option<String>,
    /// Why it ended without success.
    pub error: Option<StageError>,
}

impl CommandEnd {
    /// A stage with nothing more to say.
    pub const fn of(stage: CommandStage) -> Self {
        Self { stage, result: None, error: None }
    }
}

impl StoreTx<'_> {
    /// Writes a row of the command journal. Rows of ended commands are kept as tombstones, the newest 10,000.
    pub fn put_journal(&mut self, row: &JournalRow) -> Result<(), StoreError> {
        let (stage, end) = match &row.stage {
            JournalStage::Received => ("received", None),
            JournalStage::Attempted => ("attempted", None),
            JournalStage::Done(end) => (end.stage.as_str(), Some(end)),
        };
        let result = end.and_then(|end| end.result.as_deref());
        let error = end.and_then(|end| end.error.as_ref()).map(|error| (&error.code, &error.message));
        let (code, message) = error.unzip();
        let text = "INSERT INTO journal (id, kind, data, by, stage, deadline, result, code, message, changed_at) \
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO UPDATE SET \
                    stage = ?5, result = ?7, code = ?8, message = ?9, changed_at = ?10";
        let (id, deadline, now) = (row.id.as_str(), sql(row.deadline), sql(unix_ms()));
        let values = params![id, row.kind, row.data, row.by, stage, deadline, result, code, message, now];
        self.tx.prepare_cached(text)?.execute(values)?;
        let text = "DELETE FROM journal WHERE stage NOT IN ('received', 'attempted') AND id NOT IN \
                    (SELECT id FROM journal ORDER BY changed_at DESC LIMIT 10000)";
        if matches!(row.stage, JournalStage::Done { .. }) {
            self.tx.prepare_cached(text)?.execute([])?;
        }
        Ok(())
    }

    /// A command that was received is begun; false when it is not there any more, or called off.
    pub(super) fn begin_journal(&mut self, id: &CommandId) -> Result<bool, StoreError> {
        let text =
            "UPDATE journal SET stage = 'attempted', changed_at = ?2 WHERE id = ?1 AND stage = 'received'";
        let changed = self.tx.prepare_cached(text)?.execute(params![id.as_str(), sql(unix_ms())])?;
        Ok(changed > 0)
    }

    /// A command of the journal.
    pub fn journal(&self, id: &CommandId) -> Result<Option<JournalRow>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM journal WHERE id = ?1");
        let found = self.tx.prepare_cached(&text)?.query_row([id.as_str()], read).optional()?;
        found.transpose()
    }

    /// Forgets the commands that were received and not begun: on its next connection the hub dispatches them again.
    pub fn forget_received(&mut self) -> Result<(), StoreError> {
        self.tx.execute("DELETE FROM journal WHERE stage = 'received'", [])?;
        Ok(())
    }

    /// Commands that were begun and have no end, oldest first.
    pub fn begun_commands(&self) -> Result<Vec<JournalRow>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM journal WHERE stage = 'attempted' ORDER BY changed_at, id");
        let mut query = self.tx.prepare_cached(&text)?;
        let rows = query.query_map([], read)?;
        rows.map(|row| row.map_err(StoreError::from).and_then(|row| row)).collect()
    }
}

const COLUMNS: &str = "id, kind, data, by, stage, deadline, result, code, message";

fn read(row: &Row<'_>) -> rusqlite::Result<Result<JournalRow, StoreError>> {
    let (id, stage): (String, String) = (row.get(0)?, row.get(4)?);
    let (result, code, message) =
        (row.get(6)?, row.get::<_, Option<String>>(7)?, row.get::<_, Option<String>>(8)?);
    let (kind, data, by, deadline) = (row.get(1)?, row.get(2)?, row.get(3)?, number(row, 5)?);
    let error = code.map(|code| StageError { code, message: message.unwrap_or_default() });
    let id = CommandId::new(&id).map_err(|error| StoreError::Corrupt(error.to_string()));
    let stage = match stage.as_str() {
        "received" => Ok(JournalStage::Received),
        "attempted" => Ok(JournalStage::Attempted),
        word => CommandStage::parse(word)
            .map(|stage| JournalStage::Done(CommandEnd { stage, result, error }))
            .ok_or_else(|| StoreError::Corrupt(format!("journal stage {word}"))),
    };
    Ok(id.and_then(|id| Ok(JournalRow { id, kind, data, by, stage: stage?, deadline })))
}
