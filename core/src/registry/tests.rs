// Tests of the registry and the registrar.
