//! Against an API server that answers from a script.

use mockito::{Matcher, Server, ServerGuard};

use super::*;

const PATH: &str = "/api/v1/namespaces/default/secrets";
const OWN: &str = "/api/v1/namespaces/default/secrets/mini-connect-api-token";

async fn server() -> (ServerGuard, KubernetesTokenStore, tempfile::TempDir) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::new_async().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    let text = format!(
        "current-context: x\ncontexts:\n- name: x\n  context: {{cluster: x, user: x}}\nclusters:\n\
         - name: x\n  cluster:\n    server: {}\nusers:\n- name: x\n  user:\n    token: let-me-in\n",
        server.url()
    );
    std::fs::write(&file, text).unwrap();
    let cluster = Cluster::of_kubeconfig(&file).unwrap();
    let store = KubernetesTokenStore::new(cluster, "default", "mini-connect-api-token");
    (server, store, directory)
}

fn own() -> Token {
    let mut token = Token::from_refresh_token("R-2");
    token.access_token = "A-2".into();
    token.gcid = Some("G".to_owned());
    token.session_id = Some("S".to_owned());
    token.session_id_at = DateTime::from_timestamp(1_772_359_200, 0);
    token
}

fn written() -> Value {
    json!({"refresh_token": "R-2", "gcid": "G", "access_token": "A-2", "session_id": "S",
        "session_id_timestamp": "1772359200"})
}

#[tokio::test]
async fn a_secret_is_read_as_the_original_wrote_it() {
    let (mut server, store, _directory) = server().await;
    let data = |key: &str, text: &str| (key.to_owned(), STANDARD.encode(text));
    let data: BTreeMap<_, _> = [
        data("refresh_token", "R-1"),
        data("gcid", "G"),
        data("access_token", "A-1"),
        data("session_id", "S"),
        data("session_id_timestamp", "1772359200.25"),
    ]
    .into();
    let get = server
        .mock("GET", OWN)
        .match_header("authorization", "Bearer let-me-in")
        .with_body(json!({"kind": "Secret", "data": data}).to_string())
        .create_async()
        .await;
    let token = store.load().await.unwrap().unwrap();
    get.assert_async().await;
    assert_eq!(token.refresh_token.expose(), "R-1");
    assert_eq!(token.gcid.as_deref(), Some("G"));
    assert_eq!(
        token.session_id_at,
        DateTime::from_timestamp(1_772_359_200, 0)
    );
    assert!(
        !token.is_fresh(Utc::now()),
        "it is renewed before it is used"
    );
}

#[tokio::test]
async fn none_and_an_empty_one_are_no_login() {
    let (mut server, store, _directory) = server().await;
    server
        .mock("GET", OWN)
        .with_status(404)
        .create_async()
        .await;
    assert_eq!(store.load().await.unwrap(), None);
    server.reset();
    let empty = json!({"kind": "Secret", "data": null}).to_string();
    server
        .mock("GET", OWN)
        .with_body(empty)
        .create_async()
        .await;
    assert_eq!(store.load().await.unwrap(), None);
}

#[tokio::test]
async fn an_existing_secret_is_patched() {
    let (mut server, store, _directory) = server().await;
    let patch = server
        .mock("PATCH", OWN)
        .match_header("content-type", "application/merge-patch+json")
        .match_body(Matcher::Json(json!({ "stringData": written() })))
        .with_body("{}")
        .create_async()
        .await;
    store.save(&own()).await.unwrap();
    patch.assert_async().await;
}

#[tokio::test]
async fn a_missing_secret_is_created() {
    let (mut server, store, _directory) = server().await;
    server
        .mock("PATCH", OWN)
        .with_status(404)
        .create_async()
        .await;
    let create = server
        .mock("POST", PATH)
        .match_body(Matcher::Json(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "stringData": written(),
            "metadata": {"name": "mini-connect-api-token", "namespace": "default"},
        })))
        .with_status(201)
        .with_body("{}")
        .create_async()
        .await;
    store.save(&own()).await.unwrap();
    create.assert_async().await;
}

#[tokio::test]
async fn a_refusal_says_what_is_missing_and_no_secret() {
    let (mut server, store, _directory) = server().await;
    server
        .mock("PATCH", OWN)
        .with_status(403)
        .create_async()
        .await;
    let error = store.save(&own()).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "Kubernetes Secret default/mini-connect-api-token: HTTP 403; the service account needs \
         `get`, `create` and `patch` on secrets"
    );
    server.reset();
    server
        .mock("PATCH", OWN)
        .with_status(404)
        .create_async()
        .await;
    server
        .mock("POST", PATH)
        .with_status(404)
        .create_async()
        .await;
    let error = store.save(&own()).await.unwrap_err().to_string();
    assert!(
        error.ends_with("HTTP 404; is there such a namespace?"),
        "{error}"
    );
    server.reset();
    server.mock("GET", OWN).with_body("[").create_async().await;
    let error = store.load().await.unwrap_err().to_string();
    assert!(error.ends_with("an answer that is no Secret"), "{error}");
}
