//! What the macros turn into.
//!
//! Input: a text, files that were read, warnings. Output: tokens. The one idea: `include_bytes!` of every file that was
//! read makes cargo compile the crate again when one changes, and costs nothing, because nobody uses the bytes.

use std::path::PathBuf;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

/// Everything that an expansion says beside the text.
#[derive(Default)]
pub(crate) struct Beside {
    /// Files that were read.
    pub(crate) files: Vec<PathBuf>,
    /// What costs more than it has to, and where.
    pub(crate) warnings: Vec<(Span, String)>,
}

impl Beside {
    /// Items for a module or the start of a block.
    pub(crate) fn items(&self) -> TokenStream {
        let files = self.files.iter().filter_map(|path| path.to_str());
        // A warning of a macro's own is not stable yet; the use of something deprecated is one, and shows its note.
        let warnings = self.warnings.iter().map(|(span, text)| {
            quote_spanned! { *span => const _: () = { #[deprecated(note = #text)] const COSTS: () = (); COSTS }; }
        });
        quote! {
            #(const _: &[u8] = ::core::include_bytes!(#files);)*
            #(#warnings)*
        }
    }

    /// An expression whose value is `text`.
    pub(crate) fn text(&self, text: &str) -> TokenStream {
        let items = self.items();
        quote! { { #items #text } }
    }
}
