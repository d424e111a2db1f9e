//! The sections, compiled.

use backstop_policy::ConfigError;

use crate::Config;

/// What each section says, ready for requests.
#[derive(Debug)]
pub struct Policies {
    /// The section `originVerify`.
    pub origin_verify: Option<backstop_origin_verify::Policy>,
    /// The section `rateLimit`.
    pub rate_limit: Option<backstop_rate_limit::Policy>,
    /// The section `waf`.
    pub waf: Option<backstop_waf::Policy>,
    /// The section `extAuthz`.
    pub ext_authz: Option<backstop_ext_authz::Policy>,
}

impl Policies {
    /// Reads and compiles JSON: every section, before any takes effect.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        Self::compile(&Config::from_json(json)?)
    }

    /// Compiles a configuration.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed; or that there is no section.
    pub fn compile(config: &Config) -> Result<Self, ConfigError> {
        let config = &with_one_block_list(config)?;
        let policies = Self {
            origin_verify: compiled(
                "originVerify",
                config.origin_verify.as_ref(),
                backstop_origin_verify::Policy::compile,
            )?,
            rate_limit: compiled(
                "rateLimit",
                config.rate_limit.as_ref(),
                backstop_rate_limit::Policy::compile,
            )?,
            waf: compiled("waf", config.waf.as_ref(), backstop_waf::Policy::compile)?,
            ext_authz: compiled(
                "extAuthz",
                config.ext_authz.as_ref(),
                backstop_ext_authz::Policy::compile,
            )?,
        };
        if policies.is_empty() {
            return Err(ConfigError::of_whole(
                "no section, so that every request would pass unseen; write at least one of `originVerify`, `rateLimit`, `waf`, `extAuthz`",
            )
            .of("edge"));
        }
        Ok(policies)
    }

    const fn is_empty(&self) -> bool {
        self.origin_verify.is_none()
            && self.rate_limit.is_none()
            && self.waf.is_none()
            && self.ext_authz.is_none()
    }
}

/// The block list that either of the two sections has is for both.
fn with_one_block_list(config: &Config) -> Result<Config, ConfigError> {
    let mut config = config.clone();
    if let (Some(waf), Some(ext_authz)) = (&mut config.waf, &mut config.ext_authz) {
        match (&waf.block_list, &ext_authz.block_list) {
            (Some(one), Some(other)) if one != other => {
                return Err(ConfigError::at(
                    "extAuthz.blockList",
                    "differs from `waf.blockList`; there is one list for both, and it is enough to write it once",
                )
                .of("edge"));
            }
            (Some(list), _) => ext_authz.block_list = Some(list.clone()),
            (None, list) => waf.block_list.clone_from(list),
        }
    }
    Ok(config)
}

fn compiled<C, P>(
    section: &str,
    config: Option<&C>,
    compile: impl FnOnce(&C) -> Result<P, ConfigError>,
) -> Result<Option<P>, ConfigError> {
    config
        .map(compile)
        .transpose()
        .map_err(|error| error.within(section).of("edge"))
}
