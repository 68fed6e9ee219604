//! What the methods of `pay` take and give, in JSON. Times are milliseconds since 1970; ids and keys
//! are hexadecimal. Amounts are texts, as in "12.50": with as many decimals as the network, or the
//! token, has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::secret::Secret;

/// Lines of a list, unless asked otherwise.
pub const DEFAULT_PAGE: usize = 50;

/// `pay_status`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct WalletStatus {
    /// The network's name.
    pub network: String,
    /// What its money is called.
    pub unit: String,
    /// Digits behind the point.
    pub decimals: u8,
    /// What addresses begin with.
    pub prefix: String,
    /// The smallest output.
    pub minimum: String,
    /// What each payment pays besides.
    pub fee: String,
    /// The newest epoch that is known.
    pub epoch: u64,
    /// The validators.
    pub validators: Vec<ValidatorInfo>,
    /// How many votes make a payment final.
    pub quorum: usize,
    /// Payments that are not final.
    pub pending: usize,
    /// `own`: made here; `searching` and `held`: restored, and what it finds or found is held back;
    /// `alone`: restored, and no other device uses it.
    pub phrase: String,
}

/// A validator, as a wallet sees it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ValidatorInfo {
    /// What it is called.
    pub name: String,
    /// Whether there is a connection.
    pub connected: bool,
}

/// `pay_address`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct NewAddress {
    /// What you call it, at most 200 bytes.
    #[serde(default)]
    pub label: String,
}

/// An address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// As others pay to it.
    pub address: String,
}

/// One of your addresses.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AddressInfo {
    /// As others pay to it.
    pub address: String,
    /// What you call it.
    pub label: String,
    /// Whether it was ever paid to.
    pub paid: bool,
    /// Whether it is for change.
    pub change: bool,
}

/// `pay_label`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LabelParams {
    /// One of your addresses.
    pub address: String,
    /// What you call it now.
    pub label: String,
}

/// Which asset is meant.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct AssetParams {
    /// A token's id; the network's coin if left out.
    #[serde(default)]
    pub asset: Option<String>,
}

/// How much there is of an asset.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct BalanceInfo {
    /// A token's id; none for the network's coin.
    pub asset: Option<String>,
    /// What it is called, if known.
    pub name: String,
    /// What may be spent.
    pub available: String,
    /// What payments spend that are not final.
    pub reserved: String,
    /// What was restored and may not be spent yet, or was spent elsewhere.
    pub held: String,
    /// Coins that may be spent.
    pub coins: u64,
}

/// `pay_coins`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct CoinsParams {
    /// A token's id; the network's coin if left out.
    #[serde(default)]
    pub asset: Option<String>,
    /// At most so many.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only coins after this one.
    #[serde(default)]
    pub after: Option<String>,
}

/// A coin.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CoinInfo {
    /// The transaction that made it, and its place there.
    pub coin: String,
    /// How much it is worth.
    pub amount: String,
    /// At which of your addresses.
    pub address: String,
    /// `free`, `reserved`, `held` or `lost`.
    pub state: String,
    /// The transaction that spends it, if any.
    pub spent_by: Option<String>,
    /// Since when it is here.
    pub since: u64,
}

/// `pay_send`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct SendParams {
    /// An address, a payment request (`covey:ADDRESS?amount=…`), or a contact's name.
    pub to: String,
    /// How much; may be left out if the request says it.
    #[serde(default)]
    pub amount: Option<String>,
    /// A token's id; the network's coin if left out.
    #[serde(default)]
    pub asset: Option<String>,
    /// For you alone, at most 200 bytes.
    #[serde(default)]
    pub note: String,
    /// Also if a blocked payment of the same may still arrive.
    #[serde(default)]
    pub twice: bool,
    /// Answer only when the payment is final or failed, or after so many milliseconds; at once if 0.
    #[serde(default)]
    pub wait_ms: u64,
}

/// One of several who are paid.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Payee {
    /// An address.
    pub address: String,
    /// How much.
    pub amount: String,
}

/// `pay_send_many`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct SendManyParams {
    /// Who is paid, at most 255.
    pub to: Vec<Payee>,
    /// A token's id; the network's coin if left out.
    #[serde(default)]
    pub asset: Option<String>,
    /// For you alone, at most 200 bytes.
    #[serde(default)]
    pub note: String,
    /// Also if a blocked payment of the same may still arrive.
    #[serde(default)]
    pub twice: bool,
    /// Answer only when the payment is final or failed, or after so many milliseconds; at once if 0.
    #[serde(default)]
    pub wait_ms: u64,
}

/// `pay_payment`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PaymentParams {
    /// The payment's id.
    pub id: String,
    /// Answer only when the payment is final or failed, or after so many milliseconds; at once if 0.
    #[serde(default)]
    pub wait_ms: u64,
}

/// Somebody who is paid.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PaidInfo {
    /// To which address.
    pub address: String,
    /// How much.
    pub amount: String,
    /// At which place of the transaction; for `pay_proof`.
    pub index: u16,
}

/// How far a payment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Too few validators have voted so far.
    Sending,
    /// It is final.
    Final,
    /// It never will be; its coins are free again.
    Failed,
    /// Its coins were promised to another payment. It may be final yet, or never.
    Blocked,
}

/// A payment of yours.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PaymentInfo {
    /// Its id.
    pub id: String,
    /// How far it has come.
    pub state: PaymentState,
    /// Votes so far.
    pub votes: usize,
    /// Votes that make it final.
    pub needed: usize,
    /// Who is paid; nobody if coins were put together.
    pub paid: Vec<PaidInfo>,
    /// A token's id; none for the network's coin.
    pub asset: Option<String>,
    /// Your note.
    pub note: String,
    /// When it was made.
    pub made: u64,
    /// Why it failed or is blocked.
    pub why: Option<String>,
    /// The transaction that its coins were promised to.
    pub conflict: Option<String>,
}

/// `pay_resume`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Resumed {
    /// Payments that are tried again.
    pub resumed: usize,
}

/// `pay_history`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct HistoryParams {
    /// At most so many, newest first.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only lines before this number.
    #[serde(default)]
    pub before: Option<u64>,
}

/// A coin that came.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CameInfo {
    /// The transaction that made it, and its place there.
    pub coin: String,
    /// At which of your addresses.
    pub address: String,
    /// How much.
    pub amount: String,
    /// A token's id; none for the network's coin.
    pub asset: Option<String>,
    /// When.
    pub at: u64,
}

/// A line of the history: one of the two.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LineInfo {
    /// Its number.
    pub number: u64,
    /// You paid.
    pub sent: Option<PaymentInfo>,
    /// You were paid.
    pub received: Option<CameInfo>,
}

/// `pay_proof`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ProofParams {
    /// The payment's id.
    pub id: String,
    /// Which of its outputs; may be left out if one is paid.
    #[serde(default)]
    pub index: Option<u16>,
}

/// A payment as its payee is shown it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PaymentText {
    /// `covey-payment:…`
    pub payment: String,
}

/// `pay_receive`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// The coin.
    pub came: CameInfo,
    /// Whether it was here before.
    pub known: bool,
}

/// `pay_verify`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedInfo {
    /// The transaction that made it, and its place there.
    pub coin: String,
    /// Who is paid.
    pub address: String,
    /// How much.
    pub amount: String,
    /// A token's id; none for the network's coin.
    pub asset: Option<String>,
    /// Whose validators have signed.
    pub epoch: u64,
    /// The newest epoch that is known here.
    pub newest_epoch: u64,
    /// Which validators have signed.
    pub signers: Vec<String>,
}

/// `pay_request`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct RequestParams {
    /// How much; the payer chooses if left out.
    #[serde(default)]
    pub amount: Option<String>,
    /// A token's id; the network's coin if left out.
    #[serde(default)]
    pub asset: Option<String>,
    /// What for; the payer sees it. At most 200 bytes.
    #[serde(default)]
    pub label: String,
}

/// A payment request.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RequestInfo {
    /// Its own address.
    pub address: String,
    /// The URI to give to the payer.
    pub uri: String,
    /// How much, if that is fixed.
    pub amount: Option<String>,
    /// A token's id; none for the network's coin.
    pub asset: Option<String>,
    /// What for.
    pub label: String,
    /// When it was made.
    pub made: u64,
    /// What was paid so far.
    pub paid: String,
}

/// `pay_issue`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct IssueParams {
    /// What the token is called, at most 64 bytes.
    pub name: String,
    /// How much of it there will ever be.
    pub amount: String,
    /// Digits behind the point.
    #[serde(default)]
    pub decimals: u8,
}

/// A token.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TokenInfo {
    /// Its id.
    pub asset: String,
    /// What it is called. Names are not unique.
    pub name: String,
    /// How much of it there is.
    pub amount: String,
    /// Digits behind the point.
    pub decimals: u8,
    /// The issuer's address.
    pub issuer: String,
}

/// The words of a wallet.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PhraseText {
    /// 12 or 24 words. Whoever has them has the money.
    pub phrase: Secret,
}

/// What a wallet tells: one of these.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PayEvent {
    /// A payment of yours has come further.
    Payment {
        /// The payment.
        payment: PaymentInfo,
    },
    /// You were paid.
    Received {
        /// The coin.
        came: CameInfo,
    },
    /// A payee's node has noted a payment.
    Delivered {
        /// The transaction, and the place there.
        coin: String,
    },
    /// So many addresses were searched by the phrase.
    Searched {
        /// In the present branch.
        addresses: u32,
    },
    /// The search by the phrase is over.
    Found {
        /// Coins that were found, and are held back.
        coins: u64,
    },
}
