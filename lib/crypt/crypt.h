/* crypt - everything that OpenSSL and libsrtp do for us: certificates,
 * DTLS and SRTP as bytes in and bytes out, HMACs, tokens.
 *
 * No descriptor, no thread. What the libraries keep inside (their random
 * generator, OpenSSL's clock for handshake retransmission) stays inside.
 */
#ifndef CRYPT_H
#define CRYPT_H

#include "hmac.h"
#include "cert.h"
#include "srtp.h"
#include "dtls.h"
#include "token.h"

#endif
