// SPDX-License-Identifier: Apache-2.0
// casemate-keys: makes the keys of an owner and an operator. `init DIR` keeps every file that exists; with --development they are marked, and a
// production build takes none of them.
#include "keys/certificates.hpp"
#include "keys/key_files.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

namespace {

using namespace casemate::keys;

struct Place {
    PrivateDirectory directory;
    Purpose purpose;
};

PrivateKey key_in(const Place& place, const std::string& name) { return ensure_private_key(place.directory, name, place.purpose); }

void make_signing_key(const Place& place, const std::string& name) {
    const PrivateKey key = key_in(place, name + ".pem");
    ensure_public_key(place.directory, name + ".pub.pem", *key, place.purpose);
}

std::string authority_name(const Place& place, const char* what) {
    return std::string{"Casemate "} + (place.purpose == Purpose::development ? "development " : "") + what;
}

void make_tls(const Place& place) {
    const PrivateKey authority_key = key_in(place, "ca.key.pem");
    const Certificate authority = ensure_authority(place.directory, "ca.pem", authority_name(place, "authority").c_str(), *authority_key);
    const PrivateKey server_key = key_in(place, "server.key.pem");
    ensure_server(place.directory, "server.pem", *server_key, {*authority, *authority_key});
}

/// Apart from the server's authority: who can issue a server certificate makes no operators.
void make_operator(const Place& place) {
    const PrivateKey authority_key = key_in(place, "operator-ca.key.pem");
    const Certificate authority =
        ensure_authority(place.directory, "operator-ca.pem", authority_name(place, "operators").c_str(), *authority_key);
    const PrivateKey key = key_in(place, "operator.key.pem");
    ensure_client(place.directory, "operator.pem", *key, {*authority, *authority_key});
    ensure_token(place.directory, "operator.token");
}

void init(const std::string& path, Purpose purpose) {
    const Place place{PrivateDirectory::create(path), purpose};
    for (const char* name : {"owner", "grant", "audit", "result"}) make_signing_key(place, name);
    make_tls(place);
    make_operator(place);
    std::printf("%s keys are in %s\n", purpose == Purpose::development ? "development" : "production", path.c_str());
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Makes the keys of an owner and an operator; never overwrites a file."};
    app.name("casemate keys");
    app.require_subcommand(1);
    std::string directory;
    bool development = false;
    CLI::App* const make = app.add_subcommand("init", "make what is missing (keys/README.md says who should hold which)");
    make->add_option("DIR", directory, "where: a directory that nobody else can enter")->required();
    make->add_flag("--development", development, "marked: a production build refuses them");
    CLI11_PARSE(app, argc, argv);
    try {
        init(directory, development ? Purpose::development : Purpose::production);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "casemate-keys: %s\n", error.what());
        return 1;
    }
}
