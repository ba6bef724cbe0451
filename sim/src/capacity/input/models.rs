//! The names of GPU models, each with its bit.

use tepui_core::placement::Models;

/// The most models that can be told apart.
const MODELS_MAX: usize = 64;

/// Names, in the order in which they were first met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelNames(pub Vec<String>);

impl ModelNames {
    /// The bit of a model; a new name gets the next one.
    ///
    /// # Errors
    /// When there are too many.
    pub fn bit(&mut self, name: &str) -> Result<Models, String> {
        let bit = match self.0.iter().position(|model| model == name) {
            Some(bit) => bit,
            None if self.0.len() < MODELS_MAX => {
                self.0.push(name.to_owned());
                self.0.len() - 1
            }
            None => {
                return Err(format!(
                    "'{name}' is one GPU model too many, of {MODELS_MAX}"
                ));
            }
        };
        Ok(Models(1 << bit))
    }

    /// The bits of several: `A|B`; none for any.
    ///
    /// # Errors
    /// When there are too many.
    pub fn bits(&mut self, names: &str) -> Result<Models, String> {
        let mut bits = Models::default();
        for name in names
            .split('|')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            bits.0 |= self.bit(name)?.0;
        }
        Ok(bits)
    }
}
