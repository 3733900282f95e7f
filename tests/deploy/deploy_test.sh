#!/usr/bin/env bash
# deploy_test.sh <subject> <msab-relay>: checks one part of deploy/ with the program that reads it.
# Runs in the tree's root.
set -euo pipefail

subject=$1
relay=$2
work=$(mktemp -d)
# The relay prints no configuration without them.
export MSAB_API_KEYS=laravel:development-key
export MSAB_JWT_SECRETS=development-secret-never-in-production
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# systemd-analyze wants the program and the files that a unit names to exist: it gets ours.
systemd_unit() {
  sed -e "s#/usr/bin/msab-relay#$relay#" deploy/systemd/msab-relay.service >"$work/msab-relay.service"
  systemd-analyze verify --man=no "$work/msab-relay.service" 2>"$work/complaints" ||
    fail "systemd-analyze verify: $(cat "$work/complaints")"
  [[ ! -s $work/complaints ]] || fail "systemd-analyze verify: $(cat "$work/complaints")"
  # 2.0 of 10 is what systemd calls OK; an unhardened unit has 9.6.
  systemd-analyze security --offline=true --threshold=20 "$work/msab-relay.service" >/dev/null ||
    fail "the unit is exposed more than 2.0"
  local stop drain
  stop=$(sed -n 's/^TimeoutStopSec=\([0-9]*\)s$/\1/p' deploy/systemd/msab-relay.service)
  drain=$("$relay" --print-config | awk '/^\[drain\]/ { on = 1 } on && /^timeout/ { gsub(/[^0-9]/, ""); print; exit }')
  ((stop > drain)) || fail "TimeoutStopSec=$stop s must be more than drain.timeout, $drain s"
}

# There may be no docker daemon where the tests run, so the Dockerfile is read, not built: what it
# copies exists, and its second stage installs a package for every library that the relay names.
docker_image() {
  local path package
  while read -r path; do
    [[ -e $path ]] || fail "Dockerfile copies $path, which is not there"
  done < <(awk '$1 == "COPY" && $2 !~ /^--from/ { for (i = 2; i < NF; i++) print $i }' deploy/Dockerfile)
  awk '/^FROM/ { stage++ } stage == 2' deploy/Dockerfile >"$work/stage2"
  while read -r package; do
    case $package in libc6* | libgcc-s1 | libstdc++6) continue ;; esac
    grep -qE "^ +${package//+/\\+}( |$)" "$work/stage2" ||
      fail "the image lacks $package, of which the relay names a library"
  done < <(readelf -d "$relay" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/*-linux-gnu\/\1/p' |
    xargs dpkg-query -S | cut -d: -f1 | sort -u)
}

# An example with the certificate that it names swapped for one made here.
with_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=relay \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
  cat "$work/key.pem" "$work/cert.pem" >"$work/relay.pem"
  sed -e "s#/etc/ssl/private/relay.pem#$work/relay.pem#" -e "s#/var/log/nginx#$work#" "$1"
}

proxies() {
  with_certificate deploy/proxy/nginx.conf >"$work/nginx.conf"
  PATH=$PATH:/usr/sbin nginx -t -q -g "pid $work/nginx.pid;" -e "$work/error.log" -c "$work/nginx.conf"
  with_certificate deploy/proxy/haproxy.cfg >"$work/haproxy.cfg"
  # -dW: a warning fails, too.
  PATH=$PATH:/usr/sbin haproxy -c -q -dW -f "$work/haproxy.cfg"
}

# The facts that have to agree with each other; the schema is kubectl's business.
kubernetes() {
  python3 - deploy/kubernetes/msab-relay.yaml deploy/compose.yaml <<'PYTHON'
import sys, yaml

documents = list(yaml.safe_load_all(open(sys.argv[1])))
deployment = next(d for d in documents if d["kind"] == "Deployment")
pod = deployment["spec"]["template"]["spec"]
container = pod["containers"][0]
ports = {port["name"] for port in container["ports"]}
assert deployment["spec"]["selector"]["matchLabels"].items() <= \
    deployment["spec"]["template"]["metadata"]["labels"].items()
for service in (d for d in documents if d["kind"] == "Service"):
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
    assert container[probe]["httpGet"]["port"] in ports
wait = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
assert pod["terminationGracePeriodSeconds"] > wait + 30, "preStop + drain.timeout must fit"
relay = yaml.safe_load(open(sys.argv[2]))["services"]["relay"]
assert int(relay["stop_grace_period"].rstrip("s")) > 30, "drain.timeout must fit"
PYTHON
}

# The example is accepted and changes no default. (That it says every key is tested beside the
# README.)
example_config() {
  "$relay" --config deploy/config.example.toml --check-config
  "$relay" --print-config >"$work/defaults"
  "$relay" --config deploy/config.example.toml --print-config >"$work/example"
  diff -u "$work/defaults" "$work/example" || fail "the example differs from the defaults"
}

# A token of scripts/token is one that HS256 with the development secret verifies.
scripts() {
  local token
  token=$(scripts/token 7 60 '{"name":"Ada"}')
  [[ $(jq -rR 'split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | @base64d' <<<"$token") == \
    '{"sub":"7",'*'"name":"Ada"}' ]] ||
    fail "the token's claims"
  [[ $(cut -d. -f1,2 <<<"$token" | tr -d '\n' |
    openssl dgst -sha256 -hmac development-secret-never-in-production -binary |
    openssl base64 -A | tr '+/' '-_' | tr -d '=') == "${token##*.}" ]] || fail "the token's signature"
  ! scripts/token nobody 2>/dev/null || fail "a token for user 'nobody'"
}

case $subject in
  systemd) systemd_unit ;;
  docker) docker_image ;;
  proxies) proxies ;;
  kubernetes) kubernetes ;;
  config) example_config ;;
  scripts) scripts ;;
  *) fail "unknown subject $subject" ;;
esac
printf 'OK: %s\n' "$subject"
