//! Errors of the wire: codes, the error body, and the close codes.

use crate::wire::{wire, words};

words! {
    /// What went wrong, as a word programs compare. Codes may be added within v1: treat an unknown one by `retryable`.
    pub enum ErrorCode else Other {
        /// The message is not a frame: not JSON, or a member is missing or of the wrong type.
        BadFrame = "badFrame",
        /// The frame's `type` is not known here.
        UnknownFrame = "unknownFrame",
        /// The frame is known but not allowed in this state or from this kind of client.
        UnexpectedFrame = "unexpectedFrame",
        /// A frame, event or command is larger than the announced limit.
        TooLarge = "tooLarge",
        /// JSON nested deeper than 32.
        TooDeep = "tooDeep",
        /// No protocol version in common.
        UnsupportedVersion = "unsupportedVersion",
        /// No credential, or one that is not known.
        AuthRequired = "authRequired",
        /// The credential has expired.
        AuthExpired = "authExpired",
        /// The credential was revoked.
        Revoked = "revoked",
        /// The page's Origin is not on the org's allow-list.
        BadOrigin = "badOrigin",
        /// The credential does not allow this.
        Forbidden = "forbidden",
        /// A second copy of the same instance is running.
        Forked = "forked",
        /// A newer connection of the same instance took over.
        Superseded = "superseded",
        /// No such scope, or not visible to this principal.
        UnknownScope = "unknownScope",
        /// The scope is not subscribed on this connection.
        NotSubscribed = "notSubscribed",
        /// An id, scope or instant is malformed.
        BadId = "badId",
        /// The event's kind is not in the hub's catalogue.
        UnknownKind = "unknownKind",
        /// The kind is not for this publisher.
        NotPublisher = "notPublisher",
        /// The kind belongs to the other lane.
        WrongLane = "wrongLane",
        /// The data does not fit its kind; `pointer` says where.
        InvalidData = "invalidData",
        /// The entity belongs to another instance.
        NotOwner = "notOwner",
        /// The write would leave an entity over its size limit.
        EntityTooLarge = "entityTooLarge",
        /// The first event of a publish is not the next one expected.
        PublishGap = "publishGap",
        /// The publish comes from an outbox that was replaced.
        StaleProducerEpoch = "staleProducerEpoch",
        /// The command's kind is not known.
        UnknownCommand = "unknownCommand",
        /// The command names an entity that does not exist (an agent, a conversation, a run, a command).
        NotFound = "notFound",
        /// The instance is not connected and the command does not wait.
        InstanceOffline = "instanceOffline",
        /// Too many open commands for this instance.
        TooManyOpen = "tooManyOpen",
        /// The same command id was used with other content.
        IdempotencyMismatch = "idempotencyMismatch",
        /// The command reached a final stage already.
        AlreadyEnded = "alreadyEnded",
        /// What the command answers has changed since the person saw it; look again.
        Changed = "changed",
        /// Someone else decided first; `by` in the entity says who.
        AlreadyDecided = "alreadyDecided",
        /// The decision is not one of those the gateway takes.
        DecisionNotAllowed = "decisionNotAllowed",
        /// The command waited longer than it may.
        Expired = "expired",
        /// The person's role does not allow this command.
        RoleRequired = "roleRequired",
        /// Too many frames or commands in a short time.
        RateLimited = "rateLimited",
        /// The hub is too busy; try later.
        Overloaded = "overloaded",
        /// The hub is starting or shutting down; try again.
        Unavailable = "unavailable",
        /// The hub cannot write to its disk.
        StorageFull = "storageFull",
        /// Nothing was heard for two heartbeats.
        Silent = "silent",
        /// `hello` did not come in time.
        HelloTimeout = "helloTimeout",
        /// A defect of the hub; reported in its log.
        Internal = "internal",
        /// A code that this release does not know: go by `retryable`. Never sent.
        Other = "other",
    }
}

wire! {
    /// An error as it travels: in replies, refusals and rejections.
    pub struct ErrorBody {
        /// The word programs compare.
        code "code": ErrorCode,
        /// A sentence that says what to do.
        message "message": String,
        /// Whether the same request can succeed later, unchanged.
        retryable "retryable": bool,
        /// When to try again at the earliest, in milliseconds.
        retry_after_ms "retryAfterMs": Option<u64>,
        /// A JSON pointer to the member at fault.
        pointer "pointer": Option<String>,
    }
}

impl ErrorBody {
    /// A final error: the same request will fail again.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: false, retry_after_ms: None, pointer: None }
    }

    /// An error that may pass by itself.
    pub fn retryable(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::new(code, message) }
    }

    /// The close code that says what to do about it: the hub closes with it, and a client goes by it when the close itself
    /// is lost on its way.
    pub const fn close_code(&self) -> CloseCode {
        match self.code {
            ErrorCode::AuthRequired => CloseCode::AuthRequired,
            ErrorCode::AuthExpired => CloseCode::AuthExpired,
            ErrorCode::BadOrigin => CloseCode::BadOrigin,
            ErrorCode::Revoked => CloseCode::Revoked,
            ErrorCode::Forked => CloseCode::Forked,
            ErrorCode::Superseded => CloseCode::Superseded,
            ErrorCode::RateLimited => CloseCode::RateLimited,
            ErrorCode::HelloTimeout => CloseCode::HelloTimeout,
            ErrorCode::Overloaded | ErrorCode::StorageFull => CloseCode::Overloaded,
            ErrorCode::Unavailable => CloseCode::Starting,
            ErrorCode::BadFrame | ErrorCode::InvalidData | ErrorCode::UnexpectedFrame => CloseCode::BadFrame,
            ErrorCode::UnsupportedVersion => CloseCode::UnsupportedVersion,
            ErrorCode::TooLarge | ErrorCode::TooDeep => CloseCode::TooLarge,
            ErrorCode::Forbidden | ErrorCode::RoleRequired => CloseCode::Forbidden,
            ErrorCode::UnknownFrame
            | ErrorCode::UnknownScope
            | ErrorCode::NotSubscribed
            | ErrorCode::BadId
            | ErrorCode::UnknownKind
            | ErrorCode::NotPublisher
            | ErrorCode::WrongLane
            | ErrorCode::NotOwner
            | ErrorCode::EntityTooLarge
            | ErrorCode::PublishGap
            | ErrorCode::StaleProducerEpoch
            | ErrorCode::UnknownCommand
            | ErrorCode::NotFound
            | ErrorCode::InstanceOffline
            | ErrorCode::TooManyOpen
            | ErrorCode::IdempotencyMismatch
            | ErrorCode::AlreadyEnded
            | ErrorCode::Changed
            | ErrorCode::AlreadyDecided
            | ErrorCode::DecisionNotAllowed
            | ErrorCode::Expired
            | ErrorCode::Silent
            | ErrorCode::Internal => CloseCode::Internal,
            ErrorCode::Other if self.retryable => CloseCode::Overloaded,
            ErrorCode::Other => CloseCode::BadProtocol,
        }
    }

    /// Names the member at fault.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }
}

/// WebSocket close codes. The range tells a client that does not know the code what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// A probe was not answered in time.
    ProbeFailed = 4000,
    /// The hub is going away; resume elsewhere or shortly.
    Drain = 4001,
    /// A newer connection of the same client took over.
    Superseded = 4002,
    /// Two heartbeats without a byte.
    Silent = 4003,
    /// The hub is overloaded.
    Overloaded = 4100,
    /// Too many refused or superfluous frames.
    RateLimited = 4101,
    /// `hello` did not come in time: the network is slow, the credential may be fine.
    HelloTimeout = 4102,
    /// A defect of the hub.
    Internal = 4103,
    /// The hub is starting.
    Starting = 4104,
    /// No or unknown credential.
    AuthRequired = 4200,
    /// The credential expired.
    AuthExpired = 4201,
    /// The page's Origin is not allowed.
    BadOrigin = 4202,
    /// The client's positions mean nothing here; start without them.
    StartOver = 4300,
    /// The peer does not speak this protocol.
    BadProtocol = 4500,
    /// No version in common.
    UnsupportedVersion = 4501,
    /// The credential does not allow this.
    Forbidden = 4502,
    /// The credential was revoked.
    Revoked = 4503,
    /// A second copy of the instance runs.
    Forked = 4504,
    /// A message over the limit.
    TooLarge = 4505,
    /// A frame that cannot be understood, before the connection was established.
    BadFrame = 4506,
}

impl CloseCode {
    /// Every code and what it means.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::ProbeFailed, "A probe was not answered in time"),
        (Self::Drain, "The hub is going away; resume elsewhere or shortly"),
        (Self::Superseded, "A newer connection of the same client took over"),
        (Self::Silent, "Two heartbeats without a byte"),
        (Self::Overloaded, "The hub is overloaded"),
        (Self::RateLimited, "Too many refused or superfluous frames"),
        (Self::HelloTimeout, "`hello` did not come in time: the network is slow, the credential may be fine"),
        (Self::Internal, "A defect of the hub"),
        (Self::Starting, "The hub is starting"),
        (Self::AuthRequired, "No or unknown credential"),
        (Self::AuthExpired, "The credential expired"),
        (Self::BadOrigin, "The page's Origin is not allowed"),
        (Self::StartOver, "The client's positions mean nothing here; start without them"),
        (Self::BadProtocol, "The peer does not speak this protocol"),
        (Self::UnsupportedVersion, "No version in common"),
        (Self::Forbidden, "The credential does not allow this"),
        (Self::Revoked, "The credential was revoked"),
        (Self::Forked, "A second copy of the instance runs"),
        (Self::TooLarge, "A message over the limit"),
        (Self::BadFrame, "A frame that cannot be understood, before the connection was established"),
    ];

    /// The number in the close frame.
    pub const fn number(self) -> u16 {
        self as u16
    }
}

/// What a client does after a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseAction {
    /// Connect again and resume.
    Resume,
    /// Connect again after backing off.
    BackOff,
    /// The credential must change first.
    FixCredential,
    /// Connect again without positions.
    StartOver,
    /// Do not connect again with this program or identity.
    Terminal,
}

impl CloseAction {
    /// The behaviour for a close code, known or not.
    pub const fn of(code: u16) -> Self {
        match code {
            1009 | 4500..=4599 => Self::Terminal,
            1013 | 4100..=4199 => Self::BackOff,
            4200..=4299 => Self::FixCredential,
            4300..=4399 => Self::StartOver,
            _ => Self::Resume,
        }
    }
}
