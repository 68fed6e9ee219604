use covey_kernel::{Fault, NetworkId, Text, View, Write, cbor};
use rocksdb::WriteBatch;
use serde::{Deserialize, Serialize};

use super::{Family, StoreError, db::Inner};

/// This release, as it signs the formats that it writes.
const RELEASE: &str = env!("CARGO_PKG_VERSION");
const NETWORK_KEY: &[u8] = b"network";
const STAMP_BYTES: usize = 64;

/// Leads a family from one format to the next.
pub type Migration = fn(&mut View<'_>) -> Result<(), Fault>;

/// One machine's column family and the way to its present format.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The column family: `Machine::NAME`.
    pub family: &'static str,
    /// The first leads from format 1 to 2, the next from 2 to 3, and so on. So the present
    /// format is one more than their number, and no step can be missing.
    pub migrations: &'static [Migration],
    /// Whether its long values are mostly added, seldom replaced, and none of them must be gone soon when
    /// deleted, so that they may lie in files of their own: there they are not written again with each
    /// compaction, and deleted ones stay for long.
    pub appends: bool,
}

impl Schema {
    /// A family that has never changed its format.
    #[must_use]
    pub const fn first(family: &'static str) -> Self {
        Self { family, migrations: &[], appends: false }
    }

    /// The present format.
    #[must_use]
    pub fn version(&self) -> u32 {
        u32::try_from(self.migrations.len()).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// What `meta` says of a family: its format and the release that last changed it.
#[derive(Serialize, Deserialize)]
pub(super) struct Stamp(u32, Text<32>);

impl Stamp {
    fn of(version: u32) -> Self {
        Self(version, Text::new(RELEASE).unwrap_or_default())
    }

    fn write(self, family: &str) -> Write {
        Write { key: stamp_key(family), value: Some(cbor::encode(&self)) }
    }
}

fn stamp_key(family: &str) -> Vec<u8> {
    format!("schema/{family}").into_bytes()
}

pub(super) fn stamp(
    inner: &Inner,
    meta: &Family,
    family: &str,
) -> Result<Option<Stamp>, StoreError> {
    let Some(bytes) = meta.read(&stamp_key(family))? else { return Ok(None) };
    cbor::decode(&bytes, STAMP_BYTES).map(Some).map_err(|error| {
        StoreError::corrupt(&inner.path, format!("the format of {family}: {error}"))
    })
}

/// Refuses a format that this release does not know.
pub(super) fn not_newer(family: &str, stamp: &Stamp, known: u32) -> Result<(), StoreError> {
    if stamp.0 <= known {
        return Ok(());
    }
    Err(StoreError::Newer {
        family: family.to_owned(),
        found: stamp.0,
        known,
        writer: stamp.1.to_string(),
        ours: RELEASE.to_owned(),
    })
}

/// Binds a new database to its network; refuses another one's.
pub(super) fn bind(inner: &Inner, meta: &Family, wanted: NetworkId) -> Result<(), StoreError> {
    let Some(bytes) = meta.read(NETWORK_KEY)? else {
        let value = Some(wanted.as_bytes().to_vec());
        return meta.commit(&[Write { key: NETWORK_KEY.to_vec(), value }]);
    };
    let digits = data_encoding::HEXLOWER.encode(&bytes);
    let found = digits
        .parse::<NetworkId>()
        .map_err(|error| StoreError::corrupt(&inner.path, error.to_string()))?;
    if found == wanted { Ok(()) } else { Err(StoreError::OtherNetwork { found, wanted }) }
}

/// The steps that a family still needs; a new family gets its stamp at once.
pub(super) fn steps(
    inner: &Inner,
    meta: &Family,
    schema: &Schema,
) -> Result<&'static [Migration], StoreError> {
    match stamp(inner, meta, schema.family)? {
        Some(stamp) => {
            not_newer(schema.family, &stamp, schema.version())?;
            let done = usize::try_from(stamp.0.saturating_sub(1)).unwrap_or(usize::MAX);
            Ok(schema.migrations.get(done..).unwrap_or_default())
        }
        None => {
            meta.commit(&[Stamp::of(schema.version()).write(schema.family)])?;
            Ok(&[])
        }
    }
}

/// Takes the last `steps` of a schema, each with its stamp in one batch, so that a crash
/// between two leaves a database that goes on from there.
pub(super) fn migrate(
    inner: &Inner,
    meta: &Family,
    family: &Family,
    schema: &Schema,
    steps: &[Migration],
) -> Result<(), StoreError> {
    let left = (0..steps.len()).rev();
    for (step, left) in steps.iter().zip(left) {
        let to = schema.version().saturating_sub(u32::try_from(left).unwrap_or(u32::MAX));
        let name = schema.family.to_owned();
        let mut view = View::new(family);
        step(&mut view).map_err(|fault| StoreError::Migration { family: name, to, fault })?;
        let mut batch = WriteBatch::default();
        family.add_to(&mut batch, &view.into_writes())?;
        meta.add_to(&mut batch, &[Stamp::of(to).write(schema.family)])?;
        inner.write(batch)?;
    }
    Ok(())
}
