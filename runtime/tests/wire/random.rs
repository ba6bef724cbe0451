//! Random messages of any type.

use tepui_runtime::mesos::reflect::{Kind, Label, Message, Reflect, Scalar};

/// A small generator of its own: a message is a function of one number, whatever the order in
/// which tests run.
struct Draw(u64);

impl Draw {
    /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn text(&mut self) -> String {
        let letters = [
            'a', 'Z', '0', '"', '\\', '\n', '\u{1}', 'é', '漢', '🜂', '/', ' ',
        ];
        let length = self.below(8);
        let mut letter = || letters[self.below(letters.len() as u64) as usize];
        (0..length).map(|_| letter()).collect()
    }
}

/// A message in which every required field is there and about every third of the others.
pub fn message<M: Message>(seed: u64) -> M {
    let mut message = M::default();
    fill(&mut message, &mut Draw(seed), 0);
    message
}

fn fill(message: &mut dyn Reflect, draw: &mut Draw, depth: usize) {
    for info in message.fields() {
        let wanted = match info.label {
            Label::Required => 1,
            // Deeper messages are sparser, so that they end.
            Label::Optional => u64::from(draw.below(3 + 2 * depth as u64) == 0),
            Label::Repeated | Label::Map if draw.below(3 + 2 * depth as u64) == 0 => {
                1 + draw.below(2)
            }
            Label::Repeated | Label::Map => 0,
        };
        let field = message.field_mut(info.number).unwrap();
        for _ in 0..wanted {
            let key = match info.label {
                Label::Map => draw.text(),
                _ => String::new(),
            };
            match info.kind {
                Kind::Message => fill(field.message(&key).unwrap().0, draw, depth + 1),
                Kind::Str => field.put(&key, Scalar::Str(&draw.text())),
                Kind::Bytes => {
                    let bytes = draw.next().to_le_bytes();
                    let length = draw.below(9) as usize;
                    field.put(&key, Scalar::Bytes(&bytes[..length]));
                }
                kind => field.put(&key, scalar(kind, draw)),
            }
        }
    }
}

fn scalar(kind: Kind, draw: &mut Draw) -> Scalar<'static> {
    let bits = draw.next() >> draw.below(64);
    match kind {
        Kind::Bool => Scalar::Bool(bits & 1 == 1),
        Kind::I32 => Scalar::I32(bits as i32),
        Kind::U32 => Scalar::U32(bits as u32),
        Kind::I64 => Scalar::I64(bits as i64),
        Kind::U64 => Scalar::U64(bits),
        Kind::F64 => {
            let double = f64::from_bits(draw.next());
            let plain = bits as i64 as f64 / 1000.0;
            let odd = draw.below(4) == 0 && double.is_finite();
            Scalar::F64(if odd { double } else { plain })
        }
        Kind::Enumeration(all) => Scalar::Enumeration(all[draw.below(all.len() as u64) as usize].1),
        Kind::Str | Kind::Bytes | Kind::Message => unreachable!("made elsewhere"),
    }
}
