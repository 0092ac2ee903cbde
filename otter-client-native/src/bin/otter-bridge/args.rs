//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use otter_client_native::openclaw::{DeviceIdentity, GatewayConfig, Secret, TokenStore};
use otter_client_native::policy::Policy;

/// Joins the OpenClaw gateway of this machine to an Otter hub.
#[derive(Debug, Parser)]
#[command(name = "otter-bridge", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs the bridge until it is stopped.
    Run(Options),
    /// Says what works and what does not, and what to do about it.
    Doctor(DoctorOptions),
    /// Makes this state folder the instance, where the hub refuses it because another copy was connected since.
    Adopt(AdoptOptions),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AdoptOptions {
    /// Address of the hub, for instance wss://hub.example.com/ws/openclaw.
    #[arg(long, env = "OTTER_HUB")]
    pub(crate) hub: String,
    /// The bridge's token, printed by the hub.
    #[arg(long, env = "OTTER_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
    /// The state folder of the bridge that shall go on.
    #[arg(long, env = "OTTER_STATE_DIR", default_value_os_t = default_state_dir())]
    pub(crate) state_dir: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Options {
    /// Address of the hub, for instance wss://hub.example.com/ws/openclaw.
    #[arg(long, env = "OTTER_HUB")]
    pub(crate) hub: String,
    /// The bridge's token, printed by the hub. Better in the environment than on the command line.
    #[arg(long, env = "OTTER_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
    #[command(flatten)]
    pub(crate) gateway: GatewayOptions,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorOptions {
    #[command(flatten)]
    pub(crate) run: Options,
    /// Publishes once more what the hub refused for good, for instance after it was upgraded.
    #[arg(long)]
    pub(crate) requeue: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct GatewayOptions {
    /// Address of the OpenClaw gateway.
    #[arg(long, env = "OTTER_GATEWAY", default_value = "ws://127.0.0.1:18789")]
    pub(crate) gateway: String,
    /// `gateway.auth.token` of the gateway's configuration; not needed once the device is paired.
    #[arg(long, env = "OTTER_GATEWAY_TOKEN", hide_env_values = true)]
    pub(crate) gateway_token: Option<String>,
    /// Folder for the outbox, the device key and the policy; one per bridge.
    #[arg(long, env = "OTTER_STATE_DIR", default_value_os_t = default_state_dir())]
    pub(crate) state_dir: PathBuf,
    /// The local policy, JSON; `policy.json` in the state folder unless told otherwise.
    #[arg(long)]
    pub(crate) policy: Option<PathBuf>,
}

/// What both commands need of the gateway's side.
#[derive(Debug)]
pub(crate) struct GatewaySide {
    pub(crate) config: GatewayConfig,
    pub(crate) identity: DeviceIdentity,
    pub(crate) tokens: TokenStore,
    pub(crate) policy: Policy,
}

impl GatewayOptions {
    /// Reads policy, device key and tokens. The state folder has to exist.
    pub(crate) fn prepare(&self) -> anyhow::Result<GatewaySide> {
        let policy = Policy::load(self.policy.as_ref().unwrap_or(&self.state_dir.join("policy.json")))?;
        let identity = DeviceIdentity::load_or_create(&self.state_dir.join("device.json"))?;
        let tokens = TokenStore::open(&self.state_dir.join("gateway-tokens.json"))?;
        let mut config = GatewayConfig::new(self.gateway.clone());
        config.credentials.token = self.gateway_token.clone().map(Secret::new);
        config.scopes = policy.scopes();
        config.approvals = policy.lets_decide();
        config.seed = uuid::Uuid::now_v7().as_u64_pair().1;
        Ok(GatewaySide { config, identity, tokens, policy })
    }
}

fn default_state_dir() -> PathBuf {
    let home = std::env::home_dir().unwrap_or_default();
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    data.unwrap_or_else(|| home.join(".local/share")).join("otter-bridge")
}
