/// What is done with every input a fuzzer makes up.
///
/// A body returns where all is well, whatever the input, and traps where something is wrong: with one of the
/// product's own preconditions, a check of arithmetic, the address sanitizer, or one of the claims here.
package enum FuzzBodies {}
