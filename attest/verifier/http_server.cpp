// SPDX-License-Identifier: Apache-2.0
// See http_server.hpp.
#include "attest/verifier/http_server.hpp"

#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "attest/verifier/http_session.hpp"

namespace casemate::verifier {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

class HttpServer::Implementation {
public:
    Implementation(const HttpOptions& options, Handler handler);
    ~Implementation() { stop(); }
    Implementation(const Implementation&) = delete;
    Implementation& operator=(const Implementation&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    void stop();

private:
    void set_up_tls();
    void listen();
    void accept();
    void on_accept(boost::system::error_code error, tcp::socket socket);

    const HttpOptions options_;
    const Handler handler_;
    SessionShare share_{options_, handler_, {}, {}, {}};
    asio::io_context io_;
    asio::ssl::context tls_{asio::ssl::context::tls_server};
    tcp::acceptor acceptor_{asio::make_strand(io_)};
    asio::steady_timer pause_{acceptor_.get_executor()};
    std::uint16_t port_ = 0;
    std::vector<std::thread> threads_;
};

HttpServer::Implementation::Implementation(const HttpOptions& options, Handler handler)
    : options_{options}, handler_{std::move(handler)} {
    set_up_tls();
    listen();
    accept();
    for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) threads_.emplace_back([this] { io_.run(); });
}

void HttpServer::Implementation::set_up_tls() {
    boost::system::error_code error;
    if (SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_3_VERSION) != 1)
        throw HttpStartError("OpenSSL has no TLS 1.3");
    SSL_CTX_set_num_tickets(tls_.native_handle(), 0); // no resumption: every connection is a full handshake
    if (tls_.use_certificate_chain_file(options_.certificate.string(), error))
        throw HttpStartError("cannot use the TLS certificate " + options_.certificate.string() + ": " + error.message());
    if (tls_.use_private_key_file(options_.key.string(), asio::ssl::context::pem, error))
        throw HttpStartError("cannot use the TLS key " + options_.key.string() + ": " + error.message());
}

void HttpServer::Implementation::listen() {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error) throw HttpStartError("\"" + options_.address + "\" is not an IP address");
    const tcp::endpoint endpoint{address, options_.port};
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        throw HttpStartError("cannot listen on " + options_.address + " port " + std::to_string(options_.port) + ": " +
                             error.message());
    port_ = acceptor_.local_endpoint().port();
}

void HttpServer::Implementation::accept() {
    acceptor_.async_accept(asio::make_strand(io_), [this](boost::system::error_code error, tcp::socket socket) {
        on_accept(error, std::move(socket));
    });
}

void HttpServer::Implementation::on_accept(boost::system::error_code error, tcp::socket socket) {
    if (share_.stopping || error == asio::error::operation_aborted) return;
    if (error) { // out of descriptors, most likely: let some close
        pause_.expires_after(std::chrono::milliseconds{100});
        return pause_.async_wait([this](boost::system::error_code) { accept(); });
    }
    // Above the limit the socket is closed at once, without a handshake.
    if (share_.connections < options_.max_connections)
        std::make_shared<HttpSession>(std::move(socket), tls_, share_)->start();
    accept();
}

void HttpServer::Implementation::stop() {
    if (share_.stopping.exchange(true)) return;
    asio::post(acceptor_.get_executor(), [this] {
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    });
    const auto deadline = std::chrono::steady_clock::now() + options_.stop_time;
    while (share_.answering > 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
}

HttpServer::HttpServer(const HttpOptions& options, Handler handler)
    : implementation_{std::make_unique<Implementation>(options, std::move(handler))} {}
HttpServer::~HttpServer() = default;
std::uint16_t HttpServer::port() const { return implementation_->port(); }
void HttpServer::stop() { implementation_->stop(); }

} // namespace casemate::verifier
