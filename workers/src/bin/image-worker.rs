//! Pictures: does the steps of the queue `image`.

fn main() -> std::process::ExitCode {
    chorus_workers::worker::run(domain::queues::IMAGE)
}
