//! Tests of the crate as its users see it.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod long_values;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rules;
