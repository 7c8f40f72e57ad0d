//! `RUN --device=…`.

use super::error::MountError;
use super::values::{fields, switch};
use crate::model::dockerfile::keyword::nearest;

/// A device of the host that a `RUN` needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its name, such as `nvidia.com/gpu`.
    pub name: String,
    /// Whether the build fails without it.
    pub required: bool,
}

impl Device {
    /// Reads the value of `--device=`.
    ///
    /// # Errors
    /// [`MountError`] where BuildKit would stop.
    pub fn parse(value: &str) -> Result<Self, MountError> {
        let mut device = Self::default();
        for field in fields(value)? {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.to_lowercase(), Some(value)),
                None => (field.to_lowercase(), None),
            };
            match (key.as_str(), value) {
                ("required", value) => device.required = switch(&key, value.map(String::from))?,
                ("name", Some(_)) if !device.name.is_empty() => {
                    return Err(MountError::DeviceNamedTwice(device.name));
                }
                ("name", Some(value)) => device.name = value.into(),
                // Any other first field is the name itself, whatever it holds.
                _ if device.name.is_empty() => device.name = field,
                (_, None) => return Err(MountError::NoValue(field)),
                (_, Some(_)) => {
                    return Err(MountError::UnknownField { similar: nearest(&key, ["name", "required"]), field: key });
                }
            }
        }
        Ok(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_with_or_without_a_key() {
        let device = Device::parse("nvidia.com/gpu=all,required").unwrap();
        assert_eq!(device, Device { name: "nvidia.com/gpu=all".into(), required: true });
        assert_eq!(Device::parse("name=a").unwrap(), Device { name: "a".into(), required: false });
        assert_eq!(Device::parse("a,name=b"), Err(MountError::DeviceNamedTwice("a".into())));
    }
}
