//! The command line: serve, or write credential rows while a hub runs or not.

mod manage;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use otter_proto::kind::MemberRole;

use crate::auth::{Origin, PublicUrl, Secret};

pub use manage::manage;

/// The hub of Otter: without a command it serves.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "otter-server",
    version,
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// Writes credentials instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// How to serve.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Where everything is stored; made when it is not there
    #[arg(long, env = "OTTER_DATA_DIR", required = true)]
    pub data_dir: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:4200, or PORT]
    #[arg(long, env = "OTTER_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The address people use, for links and the Origin check
    #[arg(long, env = "OTTER_PUBLIC_URL", value_name = "URL", value_parser = PublicUrl::parse)]
    pub public_url: Option<PublicUrl>,
    /// A proxy with TLS stands before the hub
    #[arg(long, env = "OTTER_BEHIND_PROXY", value_parser = BoolishValueParser::new())]
    pub behind_proxy: bool,
    /// Development on this machine: every page of this machine may connect, cookies need no TLS
    #[arg(long, env = "OTTER_DEV", value_parser = BoolishValueParser::new())]
    pub dev: bool,
    /// Another origin whose pages may connect (scheme, name and port); may be repeated
    #[arg(long, env = "OTTER_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = Origin::parse)]
    pub allow_origin: Vec<Origin>,
    /// Reads the console's files from this folder instead of the build (with --dev)
    #[arg(long, env = "OTTER_CONSOLE_DIR", value_name = "DIR")]
    pub console_dir: Option<PathBuf>,
    /// Connections at the same time
    #[arg(long, env = "OTTER_MAX_CONNECTIONS", value_name = "N", default_value_t = 10_000)]
    pub max_connections: usize,
    /// Opens /metrics to who presents this bearer token; without it only this machine may read them, and behind a
    /// proxy nobody
    #[arg(long, env = "OTTER_METRICS_TOKEN", value_name = "TOKEN", hide_env_values = true, value_parser = secret)]
    pub metrics_token: Option<Secret>,
}

#[allow(clippy::unnecessary_wraps)] // what a value parser returns
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::presented(text))
}

/// Commands that write credential rows. They work while a hub runs.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// OpenClaw installations and their tokens
    #[command(subcommand)]
    Instance(InstanceCommand),
    /// Prints a link that makes a person a member; it works once, for 48 hours
    Invite {
        /// Which hub.
        #[command(flatten)]
        at: DataDir,
        /// The person's name
        #[arg(long)]
        name: String,
        /// What the person may do
        #[arg(long, default_value = "member")]
        role: RoleArg,
        /// What the link looks like.
        #[command(flatten)]
        link: LinkArgs,
    },
    /// Prints a link that signs a member in on another browser; it works once, for 10 minutes
    Link {
        /// Which hub.
        #[command(flatten)]
        at: DataDir,
        /// The member's id or name
        #[arg(long, value_name = "ID OR NAME")]
        member: String,
        /// What the link looks like.
        #[command(flatten)]
        link: LinkArgs,
    },
    /// Lists the members
    Members {
        /// Which hub.
        #[command(flatten)]
        at: DataDir,
        /// Removes the member with this id and closes their sessions
        #[arg(long, value_name = "ID")]
        remove: Option<String>,
    },
}

/// What to do with instances.
#[derive(Debug, Clone, Subcommand)]
pub enum InstanceCommand {
    /// Adds an instance and prints its token, alone on standard output, once
    Add {
        /// Which hub.
        #[command(flatten)]
        at: DataDir,
        /// A name to show, for instance that of the machine
        #[arg(long)]
        name: String,
    },
    /// Lists the instances
    List {
        /// Which hub.
        #[command(flatten)]
        at: DataDir,
    },
    /// Revokes the token of an instance; a running hub closes its socket
    Revoke {
        /// Which hub.
        #[command(flatten)]
        at: DataDir,
        /// The instance's id or name
        #[arg(value_name = "ID OR NAME")]
        instance: String,
    },
    /// Takes an instance out of the org: revokes its token, ends what it was at, archives its conversations
    Remove {
        /// Which hub.
        #[command(flatten)]
        at: DataDir,
        /// The instance's id or name
        #[arg(value_name = "ID OR NAME")]
        instance: String,
    },
}

/// Which hub.
#[derive(Debug, Clone, Args)]
pub struct DataDir {
    /// The data directory of the hub
    #[arg(long, env = "OTTER_DATA_DIR")]
    pub data_dir: PathBuf,
}

/// What links look like.
#[derive(Debug, Clone, Args)]
pub struct LinkArgs {
    /// The address people use [default: the one the hub was last started with]
    #[arg(long, env = "OTTER_PUBLIC_URL", value_name = "URL", value_parser = PublicUrl::parse)]
    pub public_url: Option<PublicUrl>,
}

/// A role as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Sees everything
    Viewer,
    /// Also writes and decides
    Member,
    /// Also takes machines out for good
    Admin,
    /// As admin; while there is none, the hub prints a setup link
    Owner,
}

impl From<RoleArg> for MemberRole {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Viewer => Self::Viewer,
            RoleArg::Member => Self::Member,
            RoleArg::Admin => Self::Admin,
            RoleArg::Owner => Self::Owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_needs_a_data_directory_and_commands_have_their_own() {
        assert!(Cli::try_parse_from(["otter-server"]).is_err());
        let cli = Cli::try_parse_from(["otter-server", "--data-dir", "d", "--dev"]).unwrap();
        assert!(cli.command.is_none() && cli.serve.dev);
        let words = ["otter-server", "instance", "add", "--name", "demo", "--data-dir", "d"];
        assert!(Cli::try_parse_from(words).unwrap().command.is_some());
        let words = ["otter-server", "invite", "--data-dir", "d", "--name", "Ann", "--role", "king"];
        assert!(Cli::try_parse_from(words).is_err());
    }
}
