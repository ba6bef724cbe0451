//! Resources, attributes, roles and ids as people write them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tepui_core::ids::TaskId;
use tepui_core::resources::{Attributes, Resources, Role};
use tepui_runtime::mesos::convert::attributes;
use tepui_runtime::mesos::convert::resources::{self, Form};

fuzz_target!(|text: &str| {
    if let Ok(found) = Resources::parse(text, &Role::any()) {
        let shown = found.to_string();
        assert_eq!(
            Resources::parse(&shown, &Role::any()),
            Ok(found.clone()),
            "{shown}"
        );
        for form in [Form::Old, Form::Refined, Form::Both] {
            let list = resources::to_v1(&found, form);
            assert_eq!(resources::to_core(&list), Ok(found.clone()));
        }
    }
    if let Ok(found) = Attributes::parse(text) {
        let list = attributes::to_v1(&found);
        assert_eq!(attributes::to_core(&list), Ok(found));
    }
    if let Ok(role) = Role::new(text) {
        assert!(role.parts().all(|part| !part.is_empty() && part != ".."));
    }
    if let Ok(id) = TaskId::new(text) {
        assert!(!id.as_str().contains('/') && id.as_str() != "..");
    }
});
