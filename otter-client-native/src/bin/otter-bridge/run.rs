//! placeholder
use crate::args::Options;
use std::process::ExitCode;
pub(crate) async fn run(_options: Options) -> anyhow::Result<ExitCode> {
    anyhow::bail!("x")
}
