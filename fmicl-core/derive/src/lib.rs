//! `#[derive(Documented)]`: the doc comments of an options struct, as `fmicl list --doc` prints them.

use proc_macro::{Delimiter, TokenStream, TokenTree};

/// Implements `fmicl_core::registry::Documented` for a struct with named fields and without generics.
#[proc_macro_derive(Documented)]
pub fn documented(item: TokenStream) -> TokenStream {
    let mut tokens = item.into_iter();
    let _ = tokens.find(|token| is_word(token, "struct"));
    let (Some(name), Some(TokenTree::Group(fields))) = (tokens.next(), tokens.next()) else {
        return error("`Documented` is for structs with named fields and without generics");
    };
    if fields.delimiter() != Delimiter::Brace {
        return error("`Documented` is for structs with named fields");
    }
    let fields = of_fields(fields.stream());
    let code = format!(
        "impl ::fmicl_core::registry::Documented for {name} {{
            const OPTIONS: ::fmicl_core::registry::Docs = &[{fields}];
        }}"
    );
    code.parse()
        .unwrap_or_else(|_| error("`Documented` cannot read this struct"))
}

/// A pair for each field: `("name", &["first line", "second line"]),`.
fn of_fields(stream: TokenStream) -> String {
    let mut tokens = stream.into_iter();
    let (mut code, mut lines) = (String::new(), String::new());
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = tokens.next() {
                    lines += &doc_line(attribute.stream()).unwrap_or_default();
                }
            }
            // The visibility, and the module in `pub(in module)`.
            TokenTree::Ident(word) if word.to_string() == "pub" => {}
            TokenTree::Group(_) => {}
            TokenTree::Ident(name) => {
                let name = name.to_string();
                code += &format!("(\"{}\", &[{lines}]),", name.trim_start_matches("r#"));
                lines.clear();
                skip_type(&mut tokens);
            }
            _ => {}
        }
    }
    code
}

/// The literal of `doc = "..."` and a comma; nothing for any other attribute.
fn doc_line(attribute: TokenStream) -> Option<String> {
    let mut tokens = attribute.into_iter();
    tokens.next().filter(|token| is_word(token, "doc"))?;
    tokens.next()?;
    match tokens.next()? {
        TokenTree::Literal(line) => Some(format!("{line},")),
        _ => None,
    }
}

/// Passes over a field's type and the comma behind it.
fn skip_type(tokens: &mut impl Iterator<Item = TokenTree>) {
    let mut depth = 0;
    for token in tokens {
        if let TokenTree::Punct(mark) = token {
            match mark.as_char() {
                '<' => depth += 1,
                '>' => depth -= 1,
                ',' if depth == 0 => return,
                _ => {}
            }
        }
    }
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident.to_string() == word)
}

fn error(message: &str) -> TokenStream {
    format!("::core::compile_error!({message:?});")
        .parse()
        .unwrap_or_default()
}
