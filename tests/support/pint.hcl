# How pint (https://cloudflare.github.io/pint/) judges the rules of a stack.

rule {
  match { name = "Watchdog" }
  # fires always, to show that alerting works
  disable = ["alerts/comparison"]
}

checks {
  # groups differ on purpose: what is summed up over 30 days is recorded seldom, alerts on it are evaluated often; and the
  # check goes by names, while services' groups record series of one name for a service each
  disabled = ["rule/dependency"]
}
