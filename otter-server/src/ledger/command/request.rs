//! What a command asks for, typed.

use otter_proto::catalogue;
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::kind::{
    AgentPing, ApprovalDecide, CommandCancel, ConversationMarkRead, ConversationUpdate, FeedArchive,
    FeedMarkRead, InstanceRemove, MessageSend, RunAbort, SessionReset, TaskCreate, TaskDispatch, TaskUpdate,
    VendorCommand,
};
use otter_proto::limits::VENDOR_COMMAND_BYTES;
use otter_proto::text;
use serde::de::DeserializeOwned;

/// The data of every command that this hub knows.
#[derive(Debug)]
pub(super) enum Request {
    MessageSend(MessageSend),
    RunAbort(RunAbort),
    SessionReset(SessionReset),
    ApprovalDecide(ApprovalDecide),
    TaskCreate(TaskCreate),
    TaskUpdate(TaskUpdate),
    TaskDispatch(TaskDispatch),
    FeedMarkRead(FeedMarkRead),
    FeedArchive(FeedArchive),
    ConversationUpdate(ConversationUpdate),
    ConversationMarkRead(ConversationMarkRead),
    AgentPing(AgentPing),
    CommandCancel(CommandCancel),
    InstanceRemove(InstanceRemove),
    /// Of an integrator.
    Vendor(VendorCommand),
}

impl Request {
    /// Reads data that passed the door; `None` when the kind is not one of these.
    pub(super) fn read(kind: &str, data: &str) -> Option<Self> {
        Some(match kind {
            "message.send" => Self::MessageSend(payload(data)?),
            "run.abort" => Self::RunAbort(payload(data)?),
            "session.reset" => Self::SessionReset(payload(data)?),
            "approval.decide" => Self::ApprovalDecide(payload(data)?),
            "task.create" => Self::TaskCreate(payload(data)?),
            "task.update" => Self::TaskUpdate(payload(data)?),
            "task.dispatch" => Self::TaskDispatch(payload(data)?),
            "feed.markRead" => Self::FeedMarkRead(payload(data)?),
            "feed.archive" => Self::FeedArchive(payload(data)?),
            "conversation.update" => Self::ConversationUpdate(payload(data)?),
            "conversation.markRead" => Self::ConversationMarkRead(payload(data)?),
            "agent.ping" => Self::AgentPing(payload(data)?),
            "command.cancel" => Self::CommandCancel(payload(data)?),
            "instance.remove" => Self::InstanceRemove(payload(data)?),
            _ if catalogue::vendor(kind).is_some() => Self::Vendor(payload(data)?),
            _ => return None,
        })
    }

    /// Checks what the types cannot say: how long texts and lists are, and what `null` may not remove.
    pub(super) fn check_size(&self, data: &str) -> Result<(), ErrorBody> {
        match self {
            Self::MessageSend(data) => said(&data.text),
            Self::TaskDispatch(data) => data.text.as_deref().map_or(Ok(()), said),
            Self::TaskCreate(data) => {
                line(&data.title, 300, "title").and(details(data.description.as_deref()))
            }
            Self::TaskUpdate(update) => {
                let title = update.title.as_deref().map_or(Ok(()), |title| line(title, 300, "title"));
                let kept = stays(data, "title").and(stays(data, "status"));
                kept.and(title).and(details(update.description.as_deref()))
            }
            Self::ConversationUpdate(data) => {
                let title = data.title.as_deref().map_or(Ok(()), |title| line(title, 200, "title"));
                title.and(data.folder.as_deref().map_or(Ok(()), |folder| line(folder, 80, "folder")))
            }
            Self::FeedMarkRead(data) => items(data.item_ids.len()),
            Self::FeedArchive(data) => items(data.item_ids.len()),
            Self::Vendor(_) if data.len() > VENDOR_COMMAND_BYTES => {
                let message =
                    format!("the data has {} bytes; send at most {VENDOR_COMMAND_BYTES}", data.len());
                Err(ErrorBody::new(ErrorCode::TooLarge, message).at("/data"))
            }
            Self::Vendor(_)
            | Self::InstanceRemove(_)
            | Self::RunAbort(_)
            | Self::SessionReset(_)
            | Self::ApprovalDecide(_)
            | Self::ConversationMarkRead(_)
            | Self::AgentPing(_)
            | Self::CommandCancel(_) => Ok(()),
        }
    }
}

fn payload<T: DeserializeOwned>(data: &str) -> Option<T> {
    serde_json::from_str(data).ok()
}

/// The longest text that is said to an agent, in bytes.
const MAX_SAID: usize = 200 << 10;
/// The longest description of a task, in bytes.
const MAX_DETAILS: usize = 6 << 10;
/// The most feed items that one command names.
const MAX_ITEMS: usize = 100;

fn said(text: &str) -> Result<(), ErrorBody> {
    match text.len() {
        0 => Err(ErrorBody::new(ErrorCode::InvalidData, "a message needs a text").at("/data/text")),
        len if len > MAX_SAID => Err(too_large(len, MAX_SAID, "bytes", "text")),
        _ => Ok(()),
    }
}

fn line(text: &str, most: usize, member: &str) -> Result<(), ErrorBody> {
    match text.trim_ascii().chars().count() {
        _ if text.trim().is_empty() => {
            let message = format!("`{member}` may not be empty");
            Err(ErrorBody::new(ErrorCode::InvalidData, message).at(format!("/data/{member}")))
        }
        len if len > most => Err(too_large(len, most, "characters", member)),
        _ => Ok(()),
    }
}

fn stays(data: &str, member: &str) -> Result<(), ErrorBody> {
    if text::member(data, member) != Some("null") {
        return Ok(());
    }
    let message = format!("`{member}` can be changed, not removed");
    Err(ErrorBody::new(ErrorCode::InvalidData, message).at(format!("/data/{member}")))
}

fn details(text: Option<&str>) -> Result<(), ErrorBody> {
    match text.map_or(0, str::len) {
        len if len > MAX_DETAILS => Err(too_large(len, MAX_DETAILS, "bytes", "description")),
        _ => Ok(()),
    }
}

fn items(len: usize) -> Result<(), ErrorBody> {
    match len {
        0 => Err(ErrorBody::new(ErrorCode::InvalidData, "name at least one item").at("/data/itemIds")),
        len if len > MAX_ITEMS => Err(too_large(len, MAX_ITEMS, "items", "itemIds")),
        _ => Ok(()),
    }
}

fn too_large(len: usize, most: usize, unit: &str, member: &str) -> ErrorBody {
    let message = format!("`{member}` has {len} {unit}; send at most {most}");
    ErrorBody::new(ErrorCode::TooLarge, message).at(format!("/data/{member}"))
}
