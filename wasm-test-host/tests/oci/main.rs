//! `backstop publish`, `verify` and `sbom` as a pipeline runs them, with a real registry on loopback and skopeo as the other side.
//! `make registry` installs both.

mod front;
mod publish;
mod referrers;
mod registry;
mod run;
mod sbom;
mod tls;
mod token;
mod verify;
