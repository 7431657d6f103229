//! Addresses of servers, in one spelling: a run on a server goes on there however its address is written.

use ureq::http::Uri;

/// Scheme and host in small letters, without the scheme's own port and without slashes at the end. The error says, behind the
/// address if that may be shown, what is wrong with it.
///
/// # Errors
/// An address that is not one of a server, or has a user or a password in it, which would be written into the run's files.
pub fn normalised(written: &str) -> Result<String, String> {
    if written.contains('@') {
        let why = "the address has a user or a password in it, which the run's files would keep and the log would show; \
                   MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment are for them";
        return Err(why.into());
    }
    let refused = || {
        format!(
            "{written:?} is not the address of a server, such as \"{}\"",
            super::LOCAL
        )
    };
    let uri: Uri = written.trim().parse().map_err(|_| refused())?;
    let (scheme, host) = uri.scheme_str().zip(uri.host()).ok_or_else(refused)?;
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let own = match &*scheme {
        "http" => 80,
        "https" => 443,
        _ => return Err(refused()),
    };
    if uri.query().is_some() {
        return Err(refused());
    }
    let port = uri.port_u16().filter(|port| *port != own);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{host}{port}{}", uri.path().trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_the_same_address() {
        let same = [
            ("http://localhost:5000", "http://localhost:5000/"),
            ("http://example.org", "HTTP://Example.ORG:80//"),
            ("https://example.org/Team/a", "https://EXAMPLE.org:443/Team/a/"),
            ("https://example.org:80", "https://example.org:80"),
            ("http://[::1]:5000", "http://[::1]:5000/"),
        ];
        for (expected, written) in same {
            assert_eq!(normalised(written).unwrap(), expected, "{written}");
            assert_eq!(normalised(expected).unwrap(), expected);
        }
    }

    #[test]
    fn a_password_is_refused_and_never_shown() {
        for written in [
            "http://user:s3cret@host",
            "user:s3cret@host",
            "ftp://user:s3cret@host",
            "http://user:s3cret/with@host",
        ] {
            let error = normalised(written).unwrap_err();
            assert!(
                error.contains("MLFLOW_TRACKING_PASSWORD") && !error.contains("s3cret"),
                "{error}"
            );
        }
        for written in ["sqlite:///x.db", "localhost:5000", "", "http://", "http://host?a=b"] {
            let error = normalised(written).unwrap_err();
            assert!(
                error.ends_with("is not the address of a server, such as \"http://localhost:5000\""),
                "{error}"
            );
        }
    }
}
