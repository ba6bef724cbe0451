//! What is idle on a live cluster, and what of that is of use to the tasks that usually come.

use super::classes::Class;
use super::free::Free;
use super::headroom::on_machine;
use super::measure::Measure;
use super::mix::Mix;
use super::shape::Shape;
use alloc::vec::Vec;

/// Headroom is told for so many of the commonest shapes.
pub const SHAPES_MAX: usize = 10;

/// Amounts of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Thousandths of a cpu.
    pub cpu_milli: i64,
    /// MiB.
    pub memory_mib: i64,
    /// MiB.
    pub disk_mib: i64,
    /// How many.
    pub ports: i64,
    /// Of all GPUs together.
    pub gpu_milli: i64,
}

impl Amounts {
    fn add(&mut self, free: &Free) {
        self.cpu_milli += free.cpu_milli;
        self.memory_mib += free.memory_mib;
        self.disk_mib += free.disk_mib;
        self.ports += free.ports;
        self.gpu_milli += free.gpu_milli;
    }
}

/// How many more tasks of one shape fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The shape.
    pub shape: Shape,
    /// How many tasks have it.
    pub tasks: i64,
    /// How many more fit.
    pub fits: i64,
}

/// What is idle, and what of that is of use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// All that no task uses.
    pub idle: Amounts,
    /// What of it lies on machines on which no task of the commonest shapes fits.
    pub stranded: Amounts,
    /// The measure of fragmentation, in milli of GPUs times [`Outlook::tasks`].
    pub fragments: i64,
    /// By how many tasks the measure is weighted.
    pub tasks: i64,
    /// The commonest shapes, at most [`SHAPES_MAX`].
    pub rooms: Vec<Room>,
}

impl Outlook {
    /// Of what is free on machines with GPUs of any model, for tasks like those of `mix`, of which
    /// at most `classes_max` classes count for fragmentation.
    #[must_use]
    pub fn of(machines: &[Free], mix: &Mix, classes_max: usize) -> Outlook {
        let classes: Vec<Class> = mix.classes(classes_max);
        let measure = Measure::new(&classes, machines.iter().map(|free| free.model));
        let rooms = mix.commonest(SHAPES_MAX).into_iter();
        let mut outlook = Outlook {
            tasks: measure.count,
            rooms: rooms
                .map(|(shape, tasks)| Room {
                    shape,
                    tasks,
                    fits: 0,
                })
                .collect(),
            ..Outlook::default()
        };
        for free in machines {
            outlook.idle.add(free);
            outlook.fragments += measure.of(free);
            let mut stranded = !outlook.rooms.is_empty();
            for room in &mut outlook.rooms {
                let (fits, _) = on_machine(free, &room.shape);
                // A shape that asks for nothing fits without end.
                room.fits = room.fits.saturating_add(fits);
                stranded &= fits == 0;
            }
            if stranded {
                outlook.stranded.add(free);
            }
        }
        outlook
    }

    /// Idle milli of GPUs that are of no use to the typical tasks.
    #[must_use]
    pub fn fragment_milli(&self) -> f64 {
        if self.tasks == 0 {
            return 0.0;
        }
        self.fragments as f64 / self.tasks as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::Capacity;

    #[test]
    fn what_fits_nowhere_is_stranded() {
        let machine = |text: &str| Free::all_of(&Capacity::of(&text.parse().unwrap()));
        let machines = [
            machine("cpus:2;mem:960;gpus:1"),
            machine("cpus:1;mem:1024;disk:7;ports:[1-2];gpus:2"),
        ];
        let mut mix = Mix::default();
        let nobody = Outlook::of(&machines, &mix, 9);
        assert_eq!(nobody.stranded, Amounts::default());
        assert_eq!(
            (nobody.idle.gpu_milli, nobody.fragment_milli()),
            (3_000, 0.0)
        );
        mix.add(Shape::of(&"cpus:2;mem:64;gpus:1".parse().unwrap()));
        let outlook = Outlook::of(&machines, &mix, 9);
        assert_eq!(outlook.fragment_milli(), 2_000.0);
        let stranded = Amounts {
            cpu_milli: 1_000,
            memory_mib: 1_024,
            disk_mib: 7,
            ports: 2,
            gpu_milli: 2_000,
        };
        assert_eq!(outlook.stranded, stranded);
        assert_eq!((outlook.rooms[0].fits, outlook.rooms[0].tasks), (1, 1));
        mix.add(Shape::of(&"cpus:0.5".parse().unwrap()));
        let outlook = Outlook::of(&machines, &mix, 9);
        assert_eq!(outlook.stranded, Amounts::default());
        // The one that needs no GPU leaves all of them aside: 3 GPUs for one of two tasks.
        assert_eq!(outlook.fragment_milli(), 2_500.0);
    }
}
