use std::fmt;

/// What the checks of a store came to. Prints one line for each check that did not pass.
#[derive(Debug, Clone, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

/// What one check came to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// The name of the check.
    pub check: &'static str,
    /// The promise that the check is about.
    pub promise: &'static str,
    /// What was found.
    pub outcome: Outcome,
}

/// Whether a store keeps a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does, as far as was seen.
    Passed,
    /// It does not; what was seen instead.
    Failed(String),
    /// It was not asked, because this is missing.
    LeftOut(&'static str),
}

impl Report {
    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// All checks, in the order in which they were run.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The names of the checks that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = self.findings.iter().filter(|finding| matches!(finding.outcome, Outcome::Failed(_)));
        failed.map(|finding| finding.check).collect()
    }

    /// Whether no check failed.
    pub fn is_passed(&self) -> bool {
        self.failed().is_empty()
    }

    /// For tests: prints which checks were left out, and panics if one failed.
    ///
    /// # Panics
    ///
    /// If a check failed, with all that failed and why.
    #[expect(clippy::panic, reason = "it is called in tests, and says what it does")]
    #[allow(clippy::print_stdout, reason = "a test must not leave things out in silence")]
    pub fn assert(&self) {
        if !self.is_passed() {
            panic!("the store does not keep its promises\n{self}");
        }
        for finding in self.findings.iter().filter(|finding| finding.outcome != Outcome::Passed) {
            println!("{finding}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = self.findings.iter().filter(|finding| finding.outcome == Outcome::Passed).count();
        writeln!(f, "{passed} of {} checks passed", self.findings.len())?;
        for finding in self.findings.iter().filter(|finding| finding.outcome != Outcome::Passed) {
            writeln!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Passed => write!(f, "passed: {}", self.check),
            Outcome::Failed(what) => {
                write!(f, "FAILED: {}\n  promised: {}\n  seen: {what}", self.check, self.promise)
            }
            Outcome::LeftOut(why) => write!(f, "LEFT OUT: {}: {why}", self.check),
        }
    }
}
