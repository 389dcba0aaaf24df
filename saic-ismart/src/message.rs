//! Messages of the cloud to the account: alarms of cars, results of commands, news.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;

use crate::endpoint::{self, Endpoint, Method};
use crate::error::DecodeError;
use crate::scale::{from_json, model};
use crate::vin::Vin;

/// A kind of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageGroup {
    /// From cars.
    Alarm,
    /// About commands.
    Command,
    /// From the vendor.
    News,
}

impl MessageGroup {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Alarm => "ALARM",
            Self::Command => "COMMAND",
            Self::News => "NEWS",
        }
    }
}

model! {
    /// A message.
    Message {
        /// Handle (`messageId`).
        id: MessageId = "messageId" as "message_id",
        /// Kind: `323` for the start of a car, `801` for a warning, others (`messageType`).
        kind: String = "messageType" as "crate::scale::text",
        /// Heading, in the language of the account (`title`).
        title: String = "title" as "crate::scale::text",
        /// Text, in the language of the account (`content`).
        content: String = "content" as "crate::scale::text",
        /// Time as text in the local time of the server (`messageTime`).
        time: String = "messageTime" as "crate::scale::text",
        /// Time; often missing in Europe (`createTime`).
        created_at: DateTime<Utc> = "createTime" as "crate::scale::epoch_ms",
        /// 0 is unread (`readStatus`).
        read_status: i64 = "readStatus" as "crate::scale::raw",
        /// `TBOX` for a car (`sender`).
        sender: String = "sender" as "crate::scale::text",
        /// The car it is about (`vin`).
        vin: Vin = "vin" as "vin",
        /// `contentId`.
        content_id: String = "contentId" as "crate::scale::text",
        /// `showCheckButton`.
        show_check_button: bool = "showCheckButton" as "crate::scale::boolean",
        ;
        /// `contentIdList`.
        content_ids: Vec<ContentId> = "contentIdList",
    }
}

model! {
    /// One entry of `contentIdList`.
    ContentId {
        /// `contentId`.
        id: String = "contentId" as "crate::scale::text",
    }
}

/// Handle of a message. It goes back as it came, as a number or as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MessageId {
    /// As a number.
    Number(i64),
    /// As text.
    Text(String),
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

fn message_id<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<MessageId>, D::Error> {
    Ok(match serde_json::Value::deserialize(json)? {
        serde_json::Value::Number(number) => number.as_i64().map(MessageId::Number),
        serde_json::Value::String(text) => Some(MessageId::Text(text)),
        _ => None,
    })
}

fn vin<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<Vin>, D::Error> {
    Ok(crate::scale::text(json)?.map(Vin::from))
}

/// How the cloud writes the time of a message.
const TIME_FORMATS: [&str; 3] = [
    "%Y-%m-%d %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
];

impl Message {
    /// Whether it was read already; `None` if the cloud does not say.
    #[must_use]
    pub fn is_read(&self) -> Option<bool> {
        self.read_status.map(|status| status != 0)
    }

    /// The text of the time, read. In the local time of the server: central
    /// European in Europe. Not to be compared with a clock; prefer
    /// [`created_at`](Self::created_at).
    #[must_use]
    pub fn local_time(&self) -> Option<NaiveDateTime> {
        let text = self.time.as_deref()?.trim();
        let read = |format: &&str| NaiveDateTime::parse_from_str(text, format).ok();
        TIME_FORMATS.iter().find_map(read)
    }

    /// Whether it tells that a car was started.
    #[must_use]
    pub fn is_vehicle_start(&self) -> bool {
        self.kind.as_deref() == Some("323")
    }
}

model! {
    /// Messages, the newest first, and how many there are.
    Messages {
        /// `recordsNumber`.
        records: u32 = "recordsNumber" as "crate::scale::count",
        /// `totalNumber`.
        total: u32 = "totalNumber" as "crate::scale::count",
        /// `alarmNumber`.
        alarms: u32 = "alarmNumber" as "crate::scale::count",
        /// `commandNumber`.
        commands: u32 = "commandNumber" as "crate::scale::count",
        /// `newsNumber`.
        news: u32 = "newsNumber" as "crate::scale::count",
        ;
        /// The messages of the page (`messages`).
        messages: Vec<Message> = "messages",
        /// The same under another name (`notifications`), in the notification list.
        notifications: Vec<Message> = "notifications",
    }
}

from_json!(Messages);

/// `GET /message/list`. Does not wake the car.
#[derive(Debug, Clone, Copy)]
pub struct MessageList {
    /// Which.
    pub group: MessageGroup,
    /// Page, from 1.
    pub page: u32,
    /// Messages per page. With 1, a malformed message harms no other.
    pub page_size: u32,
}

impl Endpoint for MessageList {
    type Answer = Messages;

    fn name(&self) -> &'static str {
        "messages"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        format!(
            "/message/list?pageNum={}&pageSize={}&messageGroup={}",
            self.page,
            self.page_size,
            self.group.as_str()
        )
    }

    fn read(&self, data: Option<&str>) -> Result<Messages, DecodeError> {
        endpoint::optional(data)
    }
}

/// `GET /message/unreadCount`.
#[derive(Debug, Clone, Copy)]
pub struct UnreadCount;

impl Endpoint for UnreadCount {
    type Answer = Messages;

    fn name(&self) -> &'static str {
        "count of unread messages"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        "/message/unreadCount".to_owned()
    }

    fn read(&self, data: Option<&str>) -> Result<Messages, DecodeError> {
        endpoint::optional(data)
    }
}

/// `GET /message/notificationList`.
#[derive(Debug, Clone, Copy)]
pub struct NotificationList;

impl Endpoint for NotificationList {
    type Answer = Messages;

    fn name(&self) -> &'static str {
        "notifications"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        "/message/notificationList".to_owned()
    }

    fn read(&self, data: Option<&str>) -> Result<Messages, DecodeError> {
        endpoint::optional(data)
    }
}

/// `PUT /message/status`: what shall happen to messages. It happens in the
/// vendor's app, too.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeMessages {
    /// Marks one as read.
    Read {
        /// [`Message::id`].
        id: MessageId,
    },
    /// Deletes one.
    Delete {
        /// [`Message::id`].
        id: MessageId,
    },
    /// Deletes all of a kind.
    DeleteAll(MessageGroup),
}

impl Endpoint for ChangeMessages {
    type Answer = ();

    fn name(&self) -> &'static str {
        "change of messages"
    }

    fn method(&self) -> Method {
        Method::Put
    }

    fn path(&self) -> String {
        "/message/status".to_owned()
    }

    fn takes_over(&self) -> bool {
        false
    }

    fn body(&self) -> String {
        let (action, id) = match self {
            Self::Read { id } => ("READ", Some(id)),
            Self::Delete { id } => ("DELETE", Some(id)),
            Self::DeleteAll(MessageGroup::Alarm) => ("DELETE_ALARM", None),
            Self::DeleteAll(MessageGroup::Command) => ("DELETE_COMMAND", None),
            Self::DeleteAll(MessageGroup::News) => ("DELETE_NEWS", None),
        };
        let id = id.map(|id| match id {
            MessageId::Number(number) => serde_json::json!(number),
            MessageId::Text(text) => serde_json::json!(text),
        });
        serde_json::json!({
            "actionType": action,
            "deviceId": null,
            "messageGroup": null,
            "messageId": id,
            "notificationCount": null,
            "pageNum": null,
            "pageSize": null,
        })
        .to_string()
    }

    fn read(&self, _: Option<&str>) -> Result<(), DecodeError> {
        Ok(())
    }
}
