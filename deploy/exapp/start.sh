#!/bin/bash
# Start the app, and HaRP's tunnel to it where AppAPI says that there is one.
#
# usage: start.sh PROGRAM [ARGUMENT...]
#
# Given by AppAPI: HP_SHARED_KEY (empty: no HaRP), HP_FRP_ADDRESS, HP_FRP_PORT, APP_ID, APP_PORT.
# HaRP puts the tunnel's certificates into /certs/frp, for the name harp.nc; the app listens on
# /tmp/exapp.sock. The container ends when either of the two ends, and Docker starts it again.
set -u
umask 077

say() { printf 'start.sh: %s\n' "$*" >&2; }

# In TOML's quotes these would mean something else.
plain() {
    local value=${!1:-}
    case $value in
    '' | *[\"\\]* | *[[:cntrl:]]*)
        say "$1 must be set, without quotes and backslashes"
        exit 2
        ;;
    esac
}

number() {
    local value=${!1:-}
    if [[ ! $value =~ ^[0-9]{1,5}$ ]]; then
        say "$1 must be a port"
        exit 2
    fi
}

tunnel() {
    local certs=${FRP_CERTS:-/certs/frp}
    printf 'serverAddr = "%s"\nserverPort = %s\n' "$HP_FRP_ADDRESS" "$HP_FRP_PORT"
    # HaRP may start later than the app.
    printf 'loginFailExit = false\n'
    if [[ -d $certs ]]; then
        printf 'transport.tls.enable = true\n'
        printf 'transport.tls.certFile = "%s/client.crt"\n' "$certs"
        printf 'transport.tls.keyFile = "%s/client.key"\n' "$certs"
        printf 'transport.tls.trustedCaFile = "%s/ca.crt"\n' "$certs"
        printf 'transport.tls.serverName = "harp.nc"\n'
    else
        printf 'transport.tls.enable = false\n'
    fi
    printf 'metadatas.token = "%s"\n\n' "$HP_SHARED_KEY"
    printf '[[proxies]]\nname = "%s"\ntype = "tcp"\nremotePort = %s\n' "$APP_ID" "$APP_PORT"
    printf '[proxies.plugin]\ntype = "unix_domain_socket"\nunixPath = "/tmp/exapp.sock"\n'
}

if [[ -z ${HP_SHARED_KEY:-} ]]; then
    exec "$@"
fi

plain HP_SHARED_KEY
plain HP_FRP_ADDRESS
plain APP_ID
number HP_FRP_PORT
number APP_PORT

config=${FRPC_CONFIG:-/tmp/frpc.toml}
tunnel >"$config" || exit 2

# The app's secrets are not the tunnel's business.
env -i PATH="$PATH" frpc -c "$config" &
frpc=$!
"$@" &
app=$!

# The app says goodbye in its own time; the tunnel ends after it.
trap 'kill -TERM "$app" 2>/dev/null' TERM INT

lost=
wait -n "$frpc" "$app"
# Else it is the app that ended, or we were told to end it.
if ! kill -0 "$frpc" 2>/dev/null; then
    say 'the tunnel to HaRP has ended'
    lost=1
    kill -TERM "$app" 2>/dev/null
fi
# A signal ends the waiting, not the app.
while wait "$app"; status=$?; kill -0 "$app" 2>/dev/null; do :; done
kill -TERM "$frpc" 2>/dev/null
wait "$frpc"
exit "${lost:-$status}"
