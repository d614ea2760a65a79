//! What the URL of a Redis says about how to connect.

use crate::store::{Result, StoreError};

/// Where to connect to.
#[derive(PartialEq)]
pub(super) enum Address {
    Single(String),
    Cluster(Vec<String>),
}

impl Address {
    /// `redis://`, `rediss://` and what else the crate `redis` takes for a single server;
    /// `redis+cluster://user:password@host1:6379,host2:6379`, or `rediss+cluster://`, for a cluster.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(StoreError::configuration(
                "the URL of a Redis begins with redis://, rediss://, redis+cluster:// or rediss+cluster://",
            ));
        };
        let Some(scheme) = scheme.strip_suffix("+cluster") else { return Ok(Self::Single(url.into())) };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (format!("{user}@"), hosts),
            None => (String::new(), authority),
        };
        Ok(Self::Cluster(
            hosts.split(',').map(|host| format!("{scheme}://{user}{}{path}", host.trim())).collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_server_or_the_nodes_of_a_cluster() {
        for (url, nodes) in [
            ("redis+cluster://a:1,b:2", &["redis://a:1", "redis://b:2"][..]),
            (
                "rediss+cluster://u:p@a,b/0#insecure",
                &["rediss://u:p@a/0#insecure", "rediss://u:p@b/0#insecure"],
            ),
            ("valkey+cluster://[::1]:7,[::1]:8/", &["valkey://[::1]:7/", "valkey://[::1]:8/"]),
        ] {
            let nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
            assert!(Address::parse(url).unwrap() == Address::Cluster(nodes), "{url}");
        }
        let single = "redis://u:p@a:1/2?protocol=resp3";
        assert!(Address::parse(single).unwrap() == Address::Single(single.into()));
        assert!(Address::parse("localhost:6379").is_err());
    }
}
