//! `#[derive(Describe)]`, written with `proc_macro` alone to keep the workspace quick to build.

use proc_macro::{Delimiter, TokenStream, TokenTree};

/// Implements `harbor::Describe` for a struct with named fields and no generics.
#[proc_macro_derive(Describe)]
pub fn derive_describe(input: TokenStream) -> TokenStream {
    let output = match parse(input) {
        Ok((name, fields)) => implementation(&name, &fields),
        Err(message) => format!("::core::compile_error!({message:?});"),
    };
    output.parse().expect("the generated code is Rust")
}

fn implementation(name: &str, fields: &[String]) -> String {
    let names = fields.iter().map(|field| format!("{field:?},")).collect::<String>();
    let parts = fields
        .iter()
        .map(|field| format!("::std::format!(\"{field}={{}}\", self.{field}),"))
        .collect::<String>();
    format!(
        "impl ::harbor::Describe for {name} {{
            const FIELDS: &'static [&'static str] = &[{names}];
            fn describe(&self) -> ::std::string::String {{ [{parts}].join(\" \") }}
        }}"
    )
}

/// The name and the field names of the struct in `input`.
fn parse(input: TokenStream) -> Result<(String, Vec<String>), &'static str> {
    let mut tokens = input.into_iter().skip_while(
        |token| !matches!(token, TokenTree::Ident(word) if word.to_string() == "struct"),
    );
    tokens.next().ok_or("Describe: only a struct can be described")?;
    let name = tokens.next().ok_or("Describe: a struct has a name")?.to_string();
    match tokens.next() {
        Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
            Ok((name, fields(body.stream())))
        }
        _ => Err("Describe: only named fields and no generics"),
    }
}

/// The identifiers in front of each field's colon.
fn fields(body: TokenStream) -> Vec<String> {
    let mut fields = Vec::new();
    let mut last = None;
    let (mut in_type, mut depth) = (false, 0_u32);
    for token in body {
        match token {
            TokenTree::Ident(word) => last = Some(word.to_string()),
            TokenTree::Punct(mark) => match mark.as_char() {
                ':' if !in_type => {
                    fields.extend(last.take());
                    in_type = true;
                }
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => in_type = false,
                _ => {}
            },
            _ => {}
        }
    }
    fields
}
