//! What somebody wants to run, as one text.

use super::constraints::Constraint;
use super::input::ModelNames;
use super::rules::Demand;
use std::str::FromStr;
use std::sync::Arc;
use tepui_core::placement::Shape;

/// The largest number in the text of a shape.
const NUMBER_MAX: f64 = 1e12;

/// A shape, and how many of it are wanted.
///
/// As text: `cpus=1.5,mem=2048,disk=100,ports=1,gpus=0.5`, and, each if it is wanted, `model=A|B`,
/// `role=web`, `app=shop`, `constraint=hostname:UNIQUE` (more than once) and `count=10`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What each asks for; of models see [`Wanted::models`].
    pub shape: Shape,
    /// The names of the GPU models that will do: `A|B`; empty for any.
    pub models: String,
    /// Its role; empty: whichever the command names.
    pub role: Arc<str>,
    /// Of which application they are instances; empty: of none.
    pub application: Arc<str>,
    /// Their constraints; none: those that the application has.
    pub constraints: Vec<Constraint>,
    /// How many; nothing: as many as fit.
    pub count: Option<i64>,
}

impl Wanted {
    /// What each of them asks for, as one of `role` if it names none.
    ///
    /// # Errors
    /// When there are too many models.
    pub fn demand(&self, models: &mut ModelNames, role: &str) -> Result<Demand, String> {
        let role = match &*self.role {
            "" => Arc::from(role),
            _ => Arc::clone(&self.role),
        };
        Ok(Demand {
            shape: Shape {
                models: models.bits(&self.models)?,
                ..self.shape
            },
            role,
            application: Arc::clone(&self.application),
        })
    }

    fn read_part(&mut self, name: &str, text: &str) -> Result<(), String> {
        match name {
            "model" => self.models = text.to_owned(),
            "role" => self.role = super::input::read_role(text)?,
            "app" => self.application = Arc::from(text),
            "constraint" => {
                let constraint = text.parse::<Constraint>();
                self.constraints
                    .push(constraint.map_err(|error| error.to_string())?);
            }
            _ => self.read_amount(name, text)?,
        }
        Ok(())
    }

    fn read_amount(&mut self, name: &str, text: &str) -> Result<(), String> {
        let part = format!("{name}={text}");
        let wrong = || format!("'{part}' is no part of a shape: write cpus=1.5,mem=2048,count=10");
        let value: f64 = text.parse().map_err(|_| wrong())?;
        if !(0.0..=NUMBER_MAX).contains(&value) {
            return Err(format!("'{part}' is too small or too large"));
        }
        let (whole, milli) = (value.ceil() as i64, (value * 1000.0).round() as i64);
        let shape = &mut self.shape;
        match name {
            "cpus" => shape.cpu_milli = milli,
            "mem" => shape.memory_mib = whole,
            "disk" => shape.disk_mib = whole,
            "ports" => shape.ports = whole,
            "gpus" if milli > 0 && milli < 1000 => {
                shape.gpus = 1;
                shape.gpu_milli = milli as i32;
            }
            "gpus" if milli % 1000 == 0 && milli <= 16_000 => {
                shape.gpus = (milli / 1000) as u32;
                shape.gpu_milli = if milli > 0 { 1000 } else { 0 };
            }
            "gpus" => {
                return Err(format!(
                    "'{part}': a part of one GPU, or up to 16 whole ones"
                ));
            }
            "count" => self.count = Some(whole),
            _ => return Err(wrong()),
        }
        Ok(())
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Wanted, String> {
        let mut wanted = Wanted::default();
        for part in text.split(',') {
            let wrong =
                || format!("'{part}' is no part of a shape: write cpus=1.5,mem=2048,count=10");
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            wanted.read_part(name.trim(), value.trim())?;
        }
        if wanted.shape == Shape::default() {
            let text = "a shape that asks for nothing fits without end: name cpus, mem or gpus";
            return Err(text.to_owned());
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read() {
        let wanted: Wanted = "cpus=1.5,mem=2048,gpus=0.25,count=3".parse().unwrap();
        assert_eq!(wanted.count, Some(3));
        assert_eq!(wanted.shape.cpu_milli, 1500);
        assert_eq!((wanted.shape.gpus, wanted.shape.gpu_milli), (1, 250));
        assert_eq!("gpus=4".parse::<Wanted>().unwrap().shape.gpus, 4);
        let text = "cpus=1,role=a/b,app=shop,constraint=hostname:UNIQUE,constraint=rack:MAX_PER:2";
        let wanted: Wanted = text.parse().unwrap();
        assert_eq!((&*wanted.role, &*wanted.application), ("a/b", "shop"));
        assert_eq!(wanted.constraints.len(), 2);
        for bad in [
            "",
            "cpus",
            "cpus=x",
            "gpus=1.5",
            "gpus=17",
            "mem=-1",
            "cpu=1",
            "count=3",
            "cpus=1,role=a b",
            "cpus=1,constraint=rack",
        ] {
            assert!(bad.parse::<Wanted>().is_err(), "{bad}");
        }
    }
}
