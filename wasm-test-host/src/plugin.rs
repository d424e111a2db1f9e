//! A plugin's configuration: what `PluginConfig` says in Envoy.

use std::sync::Arc;

use crate::failure::FailurePolicy;
use crate::module::Module;

/// One filter of the chain, before it is started.
#[derive(Clone, Debug)]
pub struct Plugin {
    pub(crate) module: Module,
    pub(crate) name: String,
    pub(crate) root_id: String,
    pub(crate) vm_id: Arc<[u8]>,
    pub(crate) vm_config: Arc<[u8]>,
    pub(crate) config: Arc<[u8]>,
    pub(crate) env: Arc<[(String, String)]>,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) allow_on_headers_stop_iteration: bool,
}

impl Plugin {
    /// A plugin named `plugin`, with nothing configured: no root id, no vm id, FAIL_CLOSED, Pause stops everything.
    pub fn new(module: &Module) -> Self {
        Self {
            module: module.clone(),
            name: "plugin".to_owned(),
            root_id: String::new(),
            vm_id: Arc::from([]),
            vm_config: Arc::from([]),
            config: Arc::from([]),
            env: Arc::from([]),
            failure_policy: FailurePolicy::default(),
            allow_on_headers_stop_iteration: false,
        }
    }

    /// `name`: in logs, statistics and the property `plugin_name`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// `root_id`
    #[must_use]
    pub fn root_id(mut self, root_id: impl Into<String>) -> Self {
        self.root_id = root_id.into();
        self
    }

    /// `vm_config.vm_id`: plugins with the same one share data and queues, whatever their code. Istio leaves it empty.
    #[must_use]
    pub fn vm_id(mut self, vm_id: impl AsRef<[u8]>) -> Self {
        self.vm_id = Arc::from(vm_id.as_ref());
        self
    }

    /// `configuration`: what `on_configure` reads.
    #[must_use]
    pub fn config(mut self, config: impl AsRef<[u8]>) -> Self {
        self.config = Arc::from(config.as_ref());
        self
    }

    /// `vm_config.configuration`: what `on_vm_start` reads.
    #[must_use]
    pub fn vm_config(mut self, config: impl AsRef<[u8]>) -> Self {
        self.vm_config = Arc::from(config.as_ref());
        self
    }

    /// One more of `vm_config.environment_variables`.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env = self
            .env
            .iter()
            .cloned()
            .chain([(name.into(), value.into())])
            .collect();
        self
    }

    /// `failure_policy`
    #[must_use]
    pub fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.failure_policy = policy;
        self
    }

    /// `allow_on_headers_stop_iteration`: Pause in a headers callback then stops the headers only, and the body is
    /// delivered. Without it the body is not, and a filter that waits for it waits for ever.
    #[must_use]
    pub fn allow_on_headers_stop_iteration(mut self, allow: bool) -> Self {
        self.allow_on_headers_stop_iteration = allow;
        self
    }
}
