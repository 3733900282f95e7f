# Reads `ctest --verbose` and writes what `ctest` writes, with each test's own summary lines (those
# of GoogleTest, node's test runner, Vitest, Playwright, PHPUnit and libFuzzer) above its verdict; of
# a test that didn't pass, all of its output.
/^[0-9]+: / {
  number = $1
  sub(/^[0-9]+: /, "")
  if (/^(Test command|Working Directory|Environment variables|Test timeout computed)/) next
  all[number] = all[number] "  " $0 "\n"
  if (/^\[==========\] .* ran\.|^\[  (PASSED|SKIPPED|FAILED)  ?\]|^# (tests|pass|fail|skipped) |^ℹ (tests|pass|fail|skipped) |^Done [0-9]+ runs|^OK: |^core: [0-9]+ bytes|^[0-9]+ cuts, |^OK \([0-9]+ tests?|^OK, but|^Tests: [0-9]+, Assertions|^ *(Test Files|Tests|Type Errors) +[0-9]|^ +[0-9]+ (passed|failed|skipped|flaky)/)
    brief[number] = brief[number] "  " $0 "\n"
  next
}
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+:/ {
  match($0, /#[0-9]+:/)
  number = substr($0, RSTART + 1, RLENGTH - 1)
  printf "%s", (/ Passed /) ? brief[number] : all[number]
  delete all[number]
  delete brief[number]
  print
  fflush()
  next
}
# The list of what is about to run, and blank lines between.
/^ *Start +[0-9]+:/ || /^test [0-9]+$/ || /^$/ || /^(UpdateCTestConfiguration|Checking test dependency|Test project)/ { next }
{ print; fflush() }
