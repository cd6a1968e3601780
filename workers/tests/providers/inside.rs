//! A picture's address never leads to a machine of our own, not even one that an operator allowed by name.

use crate::scripted::{Reply, Server};
use crate::support::{send_picture, settings};
use chorus_workers::providers::CallError;
use serde_json::json;

/// Each is tried with its own host among the allowed ones, so that the address alone refuses it.
const INSIDE: [&str; 72] = [
    // Loopback, in every way to write it.
    "https://127.0.0.1/1.png",
    "https://127.1/1.png",
    "https://127.0.1/1.png",
    "https://127.255.255.254/1.png",
    "https://2130706433/1.png",
    "https://0x7f000001/1.png",
    "https://0x7f.0x0.0x0.0x1/1.png",
    "https://0x7f.1/1.png",
    "https://0177.0.0.1/1.png",
    "https://017700000001/1.png",
    "https://0177.0x0.0.1/1.png",
    "https://127.0.0.1./1.png",
    "https://①②⑦.0.0.1/1.png",
    "https://127。0。0。1/1.png",
    "https://%31%32%37.0.0.1/1.png",
    "https://localhost/1.png",
    "https://LOCALHOST/1.png",
    "https://127.0.0.2/1.png",
    "https://0.0.0.0/1.png",
    "https://0/1.png",
    "https://0.1.2.3/1.png",
    "https://[::1]/1.png",
    "https://[0:0:0:0:0:0:0:1]/1.png",
    "https://[::]/1.png",
    // IPv4 within IPv6.
    "https://[::ffff:127.0.0.1]/1.png",
    "https://[::ffff:7f00:1]/1.png",
    "https://[0:0:0:0:0:ffff:7f00:0001]/1.png",
    "https://[::ffff:10.0.0.1]/1.png",
    "https://[::ffff:169.254.169.254]/1.png",
    "https://[::127.0.0.1]/1.png",
    "https://[64:ff9b::127.0.0.1]/1.png",
    "https://[64:ff9b::a9fe:a9fe]/1.png",
    "https://[64:ff9b:1::a00:1]/1.png",
    "https://[2002:7f00:1::]/1.png",
    "https://[2002:a9fe:a9fe::1]/1.png",
    "https://[2001:0:7f00:1::]/1.png",
    // Private networks, and those of carriers.
    "https://10.0.0.1/1.png",
    "https://10.255.255.255/1.png",
    "https://012.0.0.1/1.png",
    "https://167772161/1.png",
    "https://172.16.0.1/1.png",
    "https://172.31.255.255/1.png",
    "https://192.168.0.1/1.png",
    "https://192.168.255.255/1.png",
    "https://3232235521/1.png",
    "https://0xc0a80001/1.png",
    "https://100.64.0.1/1.png",
    "https://100.127.255.255/1.png",
    "https://[fc00::1]/1.png",
    "https://[fd12:3456:789a::1]/1.png",
    "https://[fec0::1]/1.png",
    // Neighbours, and what clouds keep there.
    "https://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "https://169.254.169.254/computeMetadata/v1/",
    "https://169.254.170.2/v2/credentials",
    "https://2852039166/latest/meta-data/",
    "https://0xa9fea9fe/latest/meta-data/",
    "https://0251.0376.0251.0376/latest/meta-data/",
    "https://169.254.43518/latest/meta-data/",
    "https://[fe80::1]/1.png",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://100.100.100.200/latest/meta-data/",
    "https://192.0.0.192/latest/meta-data/",
    // Groups, tests, examples, the future.
    "https://224.0.0.1/1.png",
    "https://239.255.255.255/1.png",
    "https://240.0.0.1/1.png",
    "https://255.255.255.255/1.png",
    "https://198.18.0.1/1.png",
    "https://203.0.113.1/1.png",
    "https://198.51.100.1/1.png",
    "https://192.0.2.1/1.png",
    "https://[ff02::1]/1.png",
    "https://[2001:db8::1]/1.png",
];

#[tokio::test]
async fn no_address_of_ours_is_asked_for_a_picture() {
    for address in INSIDE {
        let reply = Reply::json(200, json!({"created": 1, "data": [{"url": address}]}));
        let server = Server::start(vec![reply]).await;
        let mut settings = settings(&server);
        let url = reqwest::Url::parse(address).unwrap();
        settings.picture_hosts = vec![url.host_str().unwrap().to_owned()];
        let result = send_picture(settings).await;
        let Err(CallError::Permanent { detail, .. }) = &result else {
            panic!("{address}: {result:?}");
        };
        assert!(detail.contains("is not public"), "{address}: {detail}");
        assert_eq!(server.requests().len(), 1, "{address}");
    }
}
