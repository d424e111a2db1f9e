//! A registry that wants tokens (distribution spec, "Token Authentication"), as GHCR, GitLab, Harbor and Docker Hub do.

use std::sync::{Arc, Mutex};

use base64::Engine;

use crate::front::{answer, front};
use crate::registry::{LoopbackRegistry, PASSWORD, USER};
use crate::run::{ORIGIN_VERIFY, command, file, finish, module, run};

#[test]
fn a_name_and_a_password_are_exchanged_for_a_token_of_the_repository() {
    let behind = LoopbackRegistry::open();
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let scopes: Arc<Mutex<Vec<String>>> = Arc::default();
    let asked_for = scopes.clone();
    let host = front(behind.host.clone(), move |asked| {
        let authorization = asked.field("authorization").unwrap_or_default();
        if let Some(query) = asked.path.strip_prefix("/token?") {
            asked_for.lock().unwrap().push(query.to_owned());
            return Some(if authorization == format!("Basic {encoded}") {
                answer(
                    "200 OK",
                    "content-type: application/json",
                    r#"{"token":"t0ken"}"#,
                )
            } else {
                answer("401 Unauthorized", "content-type: text/plain", "no")
            });
        }
        if authorization == "Bearer t0ken" {
            return None;
        }
        // The password itself never goes to the registry: only the token service gets it.
        assert_eq!(authorization, "");
        let realm = format!("http://{}/token", asked.field("host")?);
        let challenge = format!(r#"www-authenticate: Bearer realm="{realm}",service="registry""#);
        Some(answer("401 Unauthorized", &challenge, "{}"))
    });
    let image = format!("oci://{host}/private/origin-verify:1");
    let path = module("origin-verify");
    let publish = ["publish", &image, &path];
    let login = ["--username", USER, "--password-stdin"];
    let with = |args: &[&str], password: &str| {
        finish(&mut command(&[args, &login].concat()), password.as_bytes())
    };

    assert_eq!(
        with(&publish, "wrong horse").refused(),
        format!("{host} refuses the credentials of `{USER}`")
    );
    assert!(
        run(&publish)
            .refused()
            .contains("refuses access without credentials")
    );
    let pin = with(&publish, PASSWORD).ok();
    let folder = tempfile::tempdir().unwrap();
    let config = file(&folder, "config.json", ORIGIN_VERIFY);
    let verified = with(&["verify", pin.trim_end(), "--config", &config], PASSWORD).ok();
    assert!(
        verified.starts_with("ok: compat image sha256:"),
        "{verified}"
    );

    let scopes = scopes.lock().unwrap();
    let of = |actions: &str| format!("repository%3Aprivate%2Forigin-verify%3A{actions}");
    assert!(
        scopes
            .iter()
            .any(|query| query.contains(&of("pull%2Cpush"))),
        "{scopes:?}"
    );
    let last = scopes.last().unwrap();
    assert!(
        last.contains(&of("pull")) && !last.contains("push"),
        "{last}"
    );
}
