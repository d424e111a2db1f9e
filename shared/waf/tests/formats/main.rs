//! One value in every place and format that a request has: what is honest stays honest in each, what is an attack is found in
//! each, and how a body is cut into pieces changes nothing.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod carry;
#[cfg(test)]
mod honest;
#[cfg(test)]
mod properties;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
