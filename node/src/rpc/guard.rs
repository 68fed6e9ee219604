//! Who may use HTTP: on the loopback port, only who knows the token, and no web page.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use covey_kernel::Hash;
use jsonrpsee::{
    core::BoxError,
    server::{HttpBody, HttpRequest, HttpResponse},
};
use tower::Service;

use super::{Code, RpcError, codes, service::OnlyCalls};

/// Guards HTTP. Without a token (on the Unix socket, whose permissions guard it) it lets
/// everybody in.
#[derive(Clone)]
pub(super) struct Guard<S> {
    inner: S,
    token: Option<Arc<str>>,
}

impl<S> Guard<S> {
    pub(super) fn new(inner: S, token: Option<Arc<str>>) -> Self {
        Self { inner, token }
    }
}

impl<S, B> Service<HttpRequest<B>> for Guard<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = HttpResponse;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: HttpRequest<B>) -> Self::Future {
        if let Some(token) = &self.token
            && let Err((status, code)) = check(&request, token)
        {
            let response = refuse(status, code);
            return Box::pin(std::future::ready(response));
        }
        if header(&request, "upgrade").is_none() {
            request.extensions_mut().insert(OnlyCalls);
        }
        Box::pin(self.inner.call(request))
    }
}

fn check<B>(request: &HttpRequest<B>, token: &str) -> Result<(), (u16, Code)> {
    let host = header(request, "host").or_else(|| request.uri().host());
    // A page from elsewhere can make a browser connect here under its own name (DNS rebinding),
    // so the name must be this machine's.
    if !host.is_some_and(is_local) {
        return Err((403, codes::FORBIDDEN));
    }
    // Browsers always tell from which page a WebSocket or a POST comes; the node serves none.
    let origin_is_ours = header(request, "origin")
        .is_none_or(|origin| host.is_some_and(|host| origin == format!("http://{host}")));
    if !origin_is_ours || request.headers().get_all("origin").iter().count() > 1 {
        return Err((403, codes::FORBIDDEN));
    }
    match given_token(request) {
        // Digests are compared, so that the time it takes tells nothing about the token.
        Some(given) if Hash::of(given.as_bytes()) == Hash::of(token.as_bytes()) => Ok(()),
        _ => Err((401, codes::UNAUTHORIZED)),
    }
}

fn header<'r, B>(request: &'r HttpRequest<B>, name: &str) -> Option<&'r str> {
    // A header that is not text is there all the same.
    request.headers().get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"))
}

fn given_token<B>(request: &HttpRequest<B>) -> Option<&str> {
    let bearer = header(request, "authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let query = || request.uri().query()?.split('&').find_map(|pair| pair.strip_prefix("token="));
    bearer.or_else(query)
}

fn is_local(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    host.is_some_and(|host| {
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

fn refuse(status: u16, code: Code) -> Result<HttpResponse, BoxError> {
    let body = RpcError::from(code).to_response().to_string();
    let mut response = HttpResponse::builder()
        .status(status)
        .header("content-type", "application/json; charset=utf-8")
        .header("connection", "close");
    if status == 401 {
        response = response.header("www-authenticate", "Bearer");
    }
    Ok(response.body(HttpBody::from(body))?)
}
