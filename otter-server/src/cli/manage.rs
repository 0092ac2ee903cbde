//! Commands that write credential rows. What a program may read is on standard output, all else on standard error.

use std::io::{Write, stderr, stdout};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use otter_proto::id::{MemberId, OrgId};
use otter_proto::kind::MemberRole;

use crate::auth::{CredentialStore, LinkGrant, MemberRow, unix_now};
use crate::cli::{Command, DataDir, InstanceCommand, LinkArgs};
use crate::link_text;

/// Runs a command.
pub fn manage(command: Command) -> Result<()> {
    match command {
        Command::Instance(InstanceCommand::Add { at, name }) => add_instance(&at, &name),
        Command::Instance(InstanceCommand::List { at }) => list_instances(&at),
        Command::Instance(InstanceCommand::Revoke { at, instance }) => revoke_instance(&at, &instance),
        Command::Instance(InstanceCommand::Remove { at, instance }) => remove_instance(&at, &instance),
        Command::Invite { at, name, role, link } => invite(&at, name, role.into(), &link),
        Command::Link { at, member, link } => sign_in_link(&at, &member, &link),
        Command::Members { at, remove: None } => list_members(&at),
        Command::Members { at, remove: Some(id) } => remove_member(&at, &id),
    }
}

fn open(at: &DataDir) -> Result<(CredentialStore, OrgId)> {
    let store = CredentialStore::open(&at.data_dir)?;
    let org = store.org(unix_now())?;
    Ok((store, org))
}

fn add_instance(at: &DataDir, name: &str) -> Result<()> {
    let (store, org) = open(at)?;
    let token = store.add_instance(&org, name, unix_now())?;
    writeln!(
        stderr(),
        "{} is added. Its token is shown only now; give it to the bridge as OTTER_TOKEN:",
        token.instance
    )?;
    writeln!(stdout(), "{}", token.expose().expose())?;
    Ok(())
}

fn list_instances(at: &DataDir) -> Result<()> {
    let (store, org) = open(at)?;
    let instances = store.instances(&org)?;
    if instances.is_empty() {
        writeln!(
            stderr(),
            "no instances; add one with: otter-server instance add {}--name NAME",
            dir(&at.data_dir)
        )?;
    }
    for row in instances {
        let state = match (row.revoked_at, row.used_at) {
            (Some(at), _) => format!("revoked {at}"),
            (None, Some(at)) => format!("last connected {at}"),
            (None, None) => "never connected".to_owned(),
        };
        writeln!(stdout(), "{}\t{}\tadded {}\t{state}", row.id, row.name, row.created_at)?;
    }
    Ok(())
}

fn revoke_instance(at: &DataDir, id_or_name: &str) -> Result<()> {
    let (store, org) = open(at)?;
    let revoked = store.revoke_instance(&org, id_or_name, unix_now())?;
    let id = revoked.with_context(|| format!("there is no instance `{id_or_name}` with a valid token"))?;
    writeln!(stderr(), "{id} is revoked; a running hub closes its socket within a second")?;
    Ok(())
}

fn remove_instance(at: &DataDir, id_or_name: &str) -> Result<()> {
    let (store, org) = open(at)?;
    let removed = store.remove_instance(&org, id_or_name, unix_now())?;
    let id = removed.with_context(|| format!("there is no instance `{id_or_name}`"))?;
    writeln!(
        stderr(),
        "{id} is removed; a hub that runs shows it within a second, another one when it starts"
    )?;
    Ok(())
}

fn invite(at: &DataDir, name: String, role: MemberRole, link: &LinkArgs) -> Result<()> {
    let (store, org) = open(at)?;
    let secret = store.add_link(&org, &LinkGrant::Invite { name, role }, unix_now())?;
    writeln!(stderr(), "The link works once, for 48 hours. Whoever opens it joins:")?;
    writeln!(stdout(), "{}", link_text(&public_url(&store, link)?, &secret))?;
    Ok(())
}

fn sign_in_link(at: &DataDir, id_or_name: &str, link: &LinkArgs) -> Result<()> {
    let (store, org) = open(at)?;
    let members = store.members(&org)?;
    let named: Vec<&MemberRow> =
        members.iter().filter(|row| row.id.as_str() == id_or_name || row.name == id_or_name).collect();
    let [member] = named[..] else {
        bail!("{} members are called `{id_or_name}`; `otter-server members` lists their ids", named.len());
    };
    let secret = store.add_link(&org, &LinkGrant::SignIn { member: member.id.clone() }, unix_now())?;
    writeln!(stderr(), "The link works once, for 10 minutes. Whoever opens it is {:?}:", member.name)?;
    writeln!(stdout(), "{}", link_text(&public_url(&store, link)?, &secret))?;
    Ok(())
}

fn list_members(at: &DataDir) -> Result<()> {
    let (store, org) = open(at)?;
    for row in store.members(&org)? {
        writeln!(stdout(), "{}\t{}\t{}\tjoined {}", row.id, row.name, row.role, row.joined_at)?;
    }
    if !store.has_owner(&org)? {
        writeln!(stderr(), "there is no owner; start the hub and open the setup link that it prints")?;
    }
    Ok(())
}

fn remove_member(at: &DataDir, id: &str) -> Result<()> {
    let (store, org) = open(at)?;
    if !store.remove_member(&org, &MemberId::new(id)?, unix_now())? {
        bail!("there is no member `{id}`; `otter-server members` lists their ids");
    }
    writeln!(stderr(), "{id} is removed; a running hub closes their sockets within a second")?;
    Ok(())
}

fn public_url(store: &CredentialStore, link: &LinkArgs) -> Result<String> {
    let known = match &link.public_url {
        Some(url) => Some(url.to_string()),
        None => store.public_url()?,
    };
    known.context("the hub was never started here: name its address with --public-url")
}

fn dir(path: &Path) -> String {
    format!("--data-dir {} ", path.display())
}
