// SPDX-License-Identifier: Apache-2.0
// See materials.hpp.
#include "tests/fleet/materials.hpp"

#include <fstream>
#include <iterator>

namespace casemate::fleet {
namespace {

std::string read_text(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) throw std::runtime_error("cannot read " + file.string());
    return text;
}

void write_text(const std::filesystem::path& file, const std::string& text) {
    std::ofstream stream{file, std::ios::binary | std::ios::trunc};
    stream << text;
    if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

cose::Signer read_signer(const std::filesystem::path& file) {
    Result<cose::Signer, cose::SignError> signer = cose::Signer::from_pem_file(file.string());
    if (!signer) throw std::runtime_error(file.string() + ": " + cose::describe(signer.error()));
    return std::move(signer).value();
}

} // namespace

Materials::Materials(const std::filesystem::path& directory) : directory_{directory} {
    if (!std::filesystem::exists(file("reference.json"))) make();
    const cose::Signer grant_signer = read_signer(file("grant.key"));
    authority_ = std::make_unique<Authority>(file("ek-ca.pem"), file("ek-ca.key"));
    model_ = std::make_unique<LaunchModel>(Json::parse(read_text(file("reference.json"))), grant_signer);
    Result<measure::P256PublicKey, measure::KeyError> key = measure::P256PublicKey::create(grant_signer.public_key());
    if (!key) throw std::runtime_error("the grant key is no P-256 key");
    grant_key_ = std::move(key).value();
}

/// reference.json comes last: it says that the rest is there.
void Materials::make() const {
    std::filesystem::create_directories(directory_);
    make_server_certificate(file("tls.pem"), file("tls.key"));
    make_key(file("grant.key"));
    make_key(file("result.key"));
    write_text(file("operator.token"), verifier::to_hex(verifier::random_bytes(32)) + "\n");
    Authority{}.write(file("ek-ca.pem"), file("ek-ca.key"));
    const LaunchModel model{test::new_signer(), read_signer(file("grant.key"))};
    write_text(file("reference.json"), model.reference().dump(1));
}

std::string Materials::operator_token() const {
    std::string token = read_text(file("operator.token"));
    while (token.ends_with('\n')) token.pop_back();
    return token;
}

std::vector<std::string> Materials::verifier_options() const {
    return {"--tls-certificate", file("tls.pem"),        "--tls-key", file("tls.key"),   "--grant-key", file("grant.key"),
            "--result-key",      file("result.key"),
            "--operator-token",  file("operator.token"), "--ek-ca",   file("ek-ca.pem"), "--reference", file("reference.json"),
            // The whole fleet has one address.
            "--caller-rate", "0", "--stranger-rate", "0", "--max-peer-connections", "20000"};
}

} // namespace casemate::fleet
