//! What servers answer beside the cloud.

use reqwest::Response;

/// So much of an answer is read: what is said to us fits, whatever the server is.
const LONGEST: usize = 16 * 1024;

/// The text of an answer, or its beginning.
///
/// # Errors
/// If it does not arrive.
pub async fn text(mut response: Response) -> reqwest::Result<String> {
    let mut bytes = Vec::new();
    while bytes.len() < LONGEST
        && let Some(chunk) = response.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(LONGEST);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: Vec<u8>) -> Response {
        axum::http::Response::new(body).into()
    }

    #[tokio::test]
    async fn no_answer_is_too_long() {
        assert_eq!(text(answer(b"taken".to_vec())).await.unwrap(), "taken");
        assert_eq!(text(answer(vec![0xff])).await.unwrap(), "\u{fffd}");
        let endless = answer(vec![b'x'; 50 * LONGEST]);
        assert_eq!(text(endless).await.unwrap().len(), LONGEST);
    }
}
