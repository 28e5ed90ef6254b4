#!/usr/bin/env bash
# Installs the system packages that the build needs and are missing (Debian, Ubuntu). Says what it does; does nothing when
# all are there.
set -euo pipefail

packages=(libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev libbrotli-dev libxxhash-dev libpcre2-dev libsqlite3-dev pkg-config curl)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing with apt: ${missing[*]}"
  sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
fi

if ! command -v swift >/dev/null 2>&1; then
  echo "setup: Swift 6.2 or newer is needed and not on the PATH; see https://www.swift.org/install" >&2
  exit 1
fi
