// SPDX-License-Identifier: Apache-2.0
// The log of a TXT launch as SINIT and tboot write it, byte by byte, so that each field can be bent; and quotes over its PCRs,
// signed by software keys.
#pragma once

#include "attest/txt/ak_file.hpp"
#include "attest/txt/event_type.hpp"
#include "attest/txt/pcr_replay.hpp"
#include "attest/txt/quote_proof.hpp"
#include "attest/txt/tboot.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <stdexcept>

namespace casemate::test {

using Bytes = std::vector<std::uint8_t>;

struct TxtEvent {
    std::uint32_t pcr;
    std::uint32_t type;
    Bytes data{};
    Bytes measured{};               // digests are over these, over data when empty
    std::vector<std::size_t> without{}; // places of algorithms that have no digest here
    bool no_digests = false;
};

struct TxtSample {
    struct Algorithm {
        std::uint16_t id, size;
    };
    static constexpr std::uint16_t sm3 = 0x12;

    std::vector<Algorithm> algorithms{{0x04, 20}, {0x0b, 32}};
    std::vector<TxtEvent> events;
    std::size_t padding = 0;

    static Bytes word(std::uint32_t value) {
        Bytes out;
        put(out, value, 4);
        return out;
    }
    static void put(Bytes& out, std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    /// A TPM 2.0: the details/authorities map.
    static TxtSample details() {
        using namespace txt;
        TxtSample sample;
        Bytes start(32, 0x51);
        put(start, 0, 4);
        const Bytes scrtm = word(1), control = word(4), caps = word(0x202);
        sample.events = {{0xff, EVTYPE_PCRMAPPING, word(0), {}},
                         {17, EVTYPE_HASH_START, start},
                         {17, EVTYPE_KM_HASH, {7}},
                         {17, EVTYPE_BIOSAC_REG_DATA, Bytes(32, 0x52)},
                         {17, EVTYPE_CPU_SCRTM_STAT, scrtm},
                         {17, EVTYPE_LCP_CONTROL_HASH, control},
                         {17, EVTYPE_LCP_DETAILS_HASH, {0}},
                         {17, EVTYPE_STM_HASH, {0}},
                         {17, EVTYPE_OSSINITDATA_CAP_HASH, caps},
                         {17, EVTYPE_MLE_HASH, {}, {'m', 'l', 'e'}},
                         {17, EVTYPE_NV_INFO_HASH, {}, {'n', 'v'}},
                         {18, EVTYPE_SINIT_PUBKEY_HASH, {}, {'k', 'e', 'y'}},
                         {18, EVTYPE_CPU_SCRTM_STAT, scrtm},
                         {18, EVTYPE_OSSINITDATA_CAP_HASH, caps},
                         {18, EVTYPE_LCP_CONTROL_HASH, control},
                         {18, EVTYPE_LCP_AUTHORITIES_HASH, {0}},
                         {18, EVTYPE_NV_INFO_HASH, {}, {'n', 'v'}},
                         {17, EVTYPE_TBOOT_MEASUREMENT, {}, {'p'}},
                         {18, EVTYPE_TBOOT_MEASUREMENT, {}, {'p'}},
                         {17, EVTYPE_TBOOT_MEASUREMENT, {}, {'k', '0'}},
                         {17, EVTYPE_TBOOT_MEASUREMENT, {}, {'m', '1'}}};
        return sample;
    }
    static TxtSample legacy() {
        using namespace txt;
        TxtSample sample = details();
        Bytes start(32, 0x51);
        put(start, 0, 4);
        sample.events = {{0xff, EVTYPE_PCRMAPPING, word(0)},         {17, EVTYPE_HASH_START, start},
                         {17, EVTYPE_BIOSAC_REG_DATA, Bytes(20, 3)}, {17, EVTYPE_LCP_CONTROL_HASH, word(4)},
                         {18, EVTYPE_MLE_HASH, {}, {'m'}},           {17, EVTYPE_TBOOT_MEASUREMENT, {}, {'p'}},
                         {18, EVTYPE_TBOOT_MEASUREMENT, {}, {'k'}},  {19, EVTYPE_TBOOT_MEASUREMENT, {}, {'i'}}};
        return sample;
    }
    TxtEvent& event(std::uint32_t pcr, std::uint32_t type, std::size_t nth = 0) {
        for (TxtEvent& each : events)
            if (each.pcr == pcr && each.type == type && nth-- == 0) return each;
        throw std::logic_error("no such event");
    }
    void erase(std::uint32_t pcr, std::uint32_t type) { events.erase(events.begin() + (&event(pcr, type) - events.data())); }
    void append(TxtEvent event) { events.push_back(std::move(event)); }

    [[nodiscard]] Bytes header() const {
        Bytes body{'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ', 'E', 'v', 'e', 'n', 't', '0', '3', 0};
        put(body, 0, 4), put(body, 0, 1), put(body, 2, 1), put(body, 0, 1), put(body, 2, 1), put(body, algorithms.size(), 4);
        for (const Algorithm& each : algorithms) put(body, each.id, 2), put(body, each.size, 2);
        put(body, 0, 1);
        Bytes out;
        put(out, 0, 4), put(out, 3, 4);
        out.insert(out.end(), 20, 0);
        put(out, body.size(), 4);
        out.insert(out.end(), body.begin(), body.end());
        return out;
    }
    static Bytes digest(const Algorithm& algorithm, const Bytes& measured) {
        const auto bank = static_cast<measure::TPM_ALG_ID>(algorithm.id);
        if (measure::digest_size(bank) == 0) return Bytes(algorithm.size, 0x33);
        const measure::Digest made = measure::hash(bank, measured);
        return {made.view().begin(), made.view().end()};
    }
    [[nodiscard]] Bytes record(const TxtEvent& event) const {
        Bytes out;
        const std::size_t count = event.no_digests ? 0 : algorithms.size() - event.without.size();
        put(out, event.pcr, 4), put(out, event.type, 4), put(out, count, 4);
        for (std::size_t i = 0; i < algorithms.size(); ++i) {
            if (event.no_digests || std::find(event.without.begin(), event.without.end(), i) != event.without.end()) continue;
            put(out, algorithms[i].id, 2);
            const Bytes made = digest(algorithms[i], event.measured.empty() ? event.data : event.measured);
            out.insert(out.end(), made.begin(), made.end());
        }
        put(out, event.data.size(), 4);
        out.insert(out.end(), event.data.begin(), event.data.end());
        return out;
    }
    [[nodiscard]] Bytes log() const {
        Bytes out = header();
        for (const TxtEvent& event : events) {
            const Bytes made = record(event);
            out.insert(out.end(), made.begin(), made.end());
        }
        out.insert(out.end(), padding, 0);
        return out;
    }
};

/// PCRs as a TPM with these banks would have them; tests bend them.
inline txt::PcrReplay pcrs_of(const Bytes& log) {
    const txt::LaunchLog read = txt::read_launch_log(log);
    txt::PcrReplay pcrs{read.banks};
    for (const txt::Record& record : read.records) pcrs.apply(record);
    return pcrs;
}

enum class KeyKind { ecdsa, rsassa, rsapss };

class QuotingKey {
public:
    explicit QuotingKey(KeyKind kind = KeyKind::ecdsa) : kind_{kind}, key_{kind == KeyKind::ecdsa ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048)} {}

    std::uint32_t attributes = 0x00050072; // fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign

    static void put(Bytes& out, std::uint64_t value, int width) {
        for (int i = width - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    static void put_2b(Bytes& out, const Bytes& bytes) {
        put(out, bytes.size(), 2);
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    [[nodiscard]] Bytes tpm2b_public() const {
        Bytes area;
        put(area, kind_ == KeyKind::ecdsa ? 0x23 : 0x01, 2), put(area, 0x0b, 2), put(area, attributes, 4), put(area, 0, 2), put(area, 0x10, 2);
        put(area, kind_ == KeyKind::ecdsa ? 0x18 : kind_ == KeyKind::rsassa ? 0x14 : 0x16, 2), put(area, 0x0b, 2);
        if (kind_ == KeyKind::ecdsa) {
            put(area, 3, 2), put(area, 0x10, 2);
            put_2b(area, number("qx")), put_2b(area, number("qy"));
        } else {
            put(area, 2048, 2), put(area, 0, 4), put_2b(area, number("n"));
        }
        Bytes out;
        put_2b(out, area);
        return out;
    }
    [[nodiscard]] Bytes pem() const {
        const std::unique_ptr<BIO, Releaser<BIO_free>> bio{BIO_new(BIO_s_mem())};
        PEM_write_bio_PUBKEY(bio.get(), key_.get());
        char* text = nullptr;
        const long size = BIO_get_mem_data(bio.get(), &text);
        return {text, text + size};
    }
    [[nodiscard]] Bytes plain_signature(const Bytes& message) const {
        const std::unique_ptr<EVP_MD_CTX, Releaser<EVP_MD_CTX_free>> context{EVP_MD_CTX_new()};
        EVP_PKEY_CTX* key = nullptr;
        EVP_DigestSignInit(context.get(), &key, EVP_sha256(), nullptr, key_.get());
        if (kind_ == KeyKind::rsapss) EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING);
        std::size_t size = 512;
        Bytes out(size);
        EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size());
        out.resize(size);
        return out;
    }
    [[nodiscard]] Bytes signature(const Bytes& message) const {
        const Bytes plain = plain_signature(message);
        Bytes out;
        put(out, kind_ == KeyKind::ecdsa ? 0x18 : kind_ == KeyKind::rsassa ? 0x14 : 0x16, 2), put(out, 0x0b, 2);
        if (kind_ != KeyKind::ecdsa) {
            put_2b(out, plain);
            return out;
        }
        const unsigned char* at = plain.data();
        const std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>> pair{d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(plain.size()))};
        for (const BIGNUM* each : {ECDSA_SIG_get0_r(pair.get()), ECDSA_SIG_get0_s(pair.get())}) {
            Bytes padded(32);
            BN_bn2binpad(each, padded.data(), 32);
            put_2b(out, padded);
        }
        return out;
    }

private:
    [[nodiscard]] Bytes number(const char* name) const {
        BIGNUM* value = nullptr;
        EVP_PKEY_get_bn_param(key_.get(), name, &value);
        Bytes bytes(static_cast<std::size_t>(name[0] == 'n' ? 256 : 32));
        BN_bn2binpad(value, bytes.data(), static_cast<int>(bytes.size()));
        BN_free(value);
        return bytes;
    }
    KeyKind kind_;
    txt::PublicKey key_;
};

struct QuoteSample {
    std::uint32_t magic = 0xff544347;
    std::uint16_t type = 0x8018;
    Bytes nonce = Bytes(20, 0x77);
    std::uint8_t safe = 1;
    std::vector<std::pair<measure::TPM_ALG_ID, std::uint32_t>> selection{{measure::TPM_ALG_ID::SHA256, 0x060000}};

    [[nodiscard]] Bytes values(const txt::PcrReplay& pcrs) const {
        Bytes all;
        for (const auto& [bank, mask] : selection)
            for (std::uint32_t pcr = 0; pcr < 24; ++pcr) {
                if ((mask >> pcr & 1) == 0) continue;
                const measure::Digest value = pcrs.value(bank, pcr);
                all.insert(all.end(), value.view().begin(), value.view().end());
            }
        return all;
    }
    [[nodiscard]] Bytes message(const txt::PcrReplay& pcrs) const {
        Bytes out;
        const auto put = [&](std::uint64_t value, int width) { QuotingKey::put(out, value, width); };
        put(magic, 4), put(type, 2);
        QuotingKey::put_2b(out, Bytes(34, 1));
        QuotingKey::put_2b(out, nonce);
        put(1000, 8), put(3, 4), put(4, 4), put(safe, 1), put(5, 8);
        put(selection.size(), 4);
        for (const auto& [bank, mask] : selection) {
            put(static_cast<std::uint16_t>(bank), 2), put(3, 1);
            for (int octet = 0; octet < 3; ++octet) put(mask >> (8 * octet) & 0xff, 1);
        }
        const measure::Digest digest = measure::hash(measure::TPM_ALG_ID::SHA256, values(pcrs));
        QuotingKey::put_2b(out, {digest.view().begin(), digest.view().end()});
        return out;
    }
    [[nodiscard]] txt::QuoteFiles files(const txt::PcrReplay& pcrs, const QuotingKey& key) const {
        const Bytes made = message(pcrs);
        return {made, key.signature(made), key.tpm2b_public(), nonce, {}};
    }
};

} // namespace casemate::test
