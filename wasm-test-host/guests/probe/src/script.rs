//! The commands of a script: each is one host call with literal arguments, and says its status and what came back.

use crate::abi::*;

fn text(argument: &str) -> String {
    if argument == "_" {
        String::new()
    } else {
        argument.replace('~', " ")
    }
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(argument: &str) -> T {
    argument.parse().unwrap()
}

fn shown((status, bytes): (u32, Option<Vec<u8>>)) -> String {
    match bytes {
        Some(bytes) if bytes.len() > 60 => format!("{status} ({} bytes)", bytes.len()),
        Some(bytes) => format!("{status} [{}]", bytes.escape_ascii()),
        None => format!("{status}"),
    }
}

fn with<T: Default + std::fmt::Display>(call: impl FnOnce(*mut T) -> u32) -> String {
    let mut out = T::default();
    let status = call(&mut out);
    if status == 0 {
        format!("0 {out}")
    } else {
        status.to_string()
    }
}

/// Runs one command; `stream` is the stream whose callback ran last.
pub fn command(line: &str, stream: u32) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let arg = |index: usize| text(words.get(index).copied().unwrap_or("_"));
    let (a, b, c, d) = (arg(1), arg(2), arg(3), arg(4));
    let status = |status: u32| status.to_string();
    unsafe {
        match words[0] {
            "get" => shown(taking(|p, l| {
                proxy_get_header_map_value(number(&a), b.as_ptr(), b.len(), p, l)
            })),
            "pairs" => match taking(|p, l| proxy_get_header_map_pairs(number(&a), p, l)) {
                (code, Some(bytes)) => format!("{code} {}", show_pairs(&bytes)),
                (code, None) => code.to_string(),
            },
            "count" => match taking(|p, l| proxy_get_header_map_pairs(number(&a), p, l)) {
                (code, Some(bytes)) => {
                    format!("{code} {}", if bytes.is_empty() { "empty" } else { "some" })
                }
                (code, None) => format!("{code} none"),
            },
            "size" => {
                let mut out = 0;
                let code = proxy_get_header_map_size(number(&a), &mut out);
                format!("{code} {}", if out > 0 { "some" } else { "none" })
            }
            "add" => status(proxy_add_header_map_value(
                number(&a),
                b.as_ptr(),
                b.len(),
                c.as_ptr(),
                c.len(),
            )),
            "set" => status(proxy_replace_header_map_value(
                number(&a),
                b.as_ptr(),
                b.len(),
                c.as_ptr(),
                c.len(),
            )),
            "del" => status(proxy_remove_header_map_value(
                number(&a),
                b.as_ptr(),
                b.len(),
            )),
            "setall" => {
                let all = pairs(&[(":status", "200"), (b.as_str(), c.as_str())]);
                status(proxy_set_header_map_pairs(
                    number(&a),
                    all.as_ptr(),
                    all.len(),
                ))
            }
            "body" => shown(taking(|p, l| {
                proxy_get_buffer_bytes(number(&a), number(&b), number(&c), p, l)
            })),
            "setbody" => status(proxy_set_buffer_bytes(
                number(&a),
                number(&b),
                number(&c),
                d.as_ptr(),
                d.len(),
            )),
            "bufstatus" => {
                let (mut len, mut flags) = (0, 0);
                let code = proxy_get_buffer_status(number(&a), &mut len, &mut flags);
                format!("{code} {len} {flags}")
            }
            "prop" => {
                let path = a.replace('/', "\0");
                shown(taking(|p, l| {
                    proxy_get_property(path.as_ptr(), path.len(), p, l)
                }))
            }
            "hasprop" => {
                let path = a.replace('/', "\0");
                let (code, bytes) =
                    taking(|p, l| proxy_get_property(path.as_ptr(), path.len(), p, l));
                format!(
                    "{code} {}",
                    bytes.map_or("none".to_owned(), |bytes| format!("{} bytes", bytes.len()))
                )
            }
            "setprop" => status(proxy_set_property(a.as_ptr(), a.len(), b.as_ptr(), b.len())),
            "reply" => {
                let headers = pairs(&[("x-probe", "replied")]);
                let grpc = words.get(4).map_or(-1, |code| number(code));
                let code = number(&a);
                status(proxy_send_local_response(
                    code,
                    b.as_ptr(),
                    b.len(),
                    c.as_ptr(),
                    c.len(),
                    headers.as_ptr(),
                    headers.len(),
                    grpc,
                ))
            }
            "continue" => status(proxy_continue_stream(number(&a))),
            "close" => status(proxy_close_stream(number(&a))),
            "effective" => {
                let context = if a == "stream" { stream } else { number(&a) };
                status(proxy_set_effective_context(context))
            }
            "done" => status(proxy_done()),
            "status" => {
                let mut code = 0;
                let (status, message) = taking(|p, l| proxy_get_status(&mut code, p, l));
                format!(
                    "{status} {code} [{}]",
                    message.unwrap_or_default().escape_ascii()
                )
            }
            "loglevel" => with::<u32>(|out| proxy_get_log_level(out)),
            "tick" => status(proxy_set_tick_period_milliseconds(number(&a))),
            "foreign" => shown(taking(|p, l| {
                proxy_call_foreign_function(a.as_ptr(), a.len(), b.as_ptr(), b.len(), p, l)
            })),
            "sget" => {
                let mut cas = 0;
                let result =
                    taking(|p, l| proxy_get_shared_data(a.as_ptr(), a.len(), p, l, &mut cas));
                format!(
                    "{} {}",
                    shown(result),
                    if cas > 0 { "cas" } else { "no cas" }
                )
            }
            "sset" => status(proxy_set_shared_data(
                a.as_ptr(),
                a.len(),
                b.as_ptr(),
                b.len(),
                number(&c),
            )),
            // Writes with the CAS number the key has now, plus an offset.
            "scas" => {
                let mut cas = 0;
                taking(|p, l| proxy_get_shared_data(a.as_ptr(), a.len(), p, l, &mut cas));
                status(proxy_set_shared_data(
                    a.as_ptr(),
                    a.len(),
                    b.as_ptr(),
                    b.len(),
                    cas.wrapping_add(number(&c)),
                ))
            }
            "qput" => {
                let mut token = 0;
                let found = proxy_resolve_shared_queue(
                    a.as_ptr(),
                    a.len(),
                    b.as_ptr(),
                    b.len(),
                    &mut token,
                );
                format!(
                    "{found} {}",
                    proxy_enqueue_shared_queue(token, c.as_ptr(), c.len())
                )
            }
            "qreg" => {
                let mut token = 0;
                status(proxy_register_shared_queue(a.as_ptr(), a.len(), &mut token))
            }
            "qget" => {
                let mut token = 0;
                let found = proxy_resolve_shared_queue(
                    a.as_ptr(),
                    a.len(),
                    b.as_ptr(),
                    b.len(),
                    &mut token,
                );
                format!(
                    "{found} {}",
                    shown(taking(|p, l| proxy_dequeue_shared_queue(token, p, l)))
                )
            }
            "qbad" => format!(
                "{} {}",
                proxy_enqueue_shared_queue(9999, a.as_ptr(), a.len()),
                shown(taking(|p, l| proxy_dequeue_shared_queue(9999, p, l)))
            ),
            "metric" => with::<u32>(|id| proxy_define_metric(number(&a), b.as_ptr(), b.len(), id)),
            "inc" => status(proxy_increment_metric(number(&a), number(&b))),
            "rec" => status(proxy_record_metric(number(&a), number(&b))),
            "mget" => with::<u64>(|out| proxy_get_metric(number(&a), out)),
            "http" => {
                let headers = pairs(&[
                    (":method", "GET"),
                    (":path", b.as_str()),
                    (":authority", "far.example"),
                ]);
                with::<u32>(|token| {
                    proxy_http_call(
                        a.as_ptr(),
                        a.len(),
                        headers.as_ptr(),
                        headers.len(),
                        d.as_ptr(),
                        d.len(),
                        std::ptr::null(),
                        0,
                        number(&c),
                        token,
                    )
                })
            }
            "httpbare" => {
                let headers = pairs(&[(":method", "GET"), (":authority", "far.example")]);
                with::<u32>(|token| {
                    proxy_http_call(
                        a.as_ptr(),
                        a.len(),
                        headers.as_ptr(),
                        headers.len(),
                        std::ptr::null(),
                        0,
                        std::ptr::null(),
                        0,
                        1000,
                        token,
                    )
                })
            }
            "grpc" => {
                let (service, method) = ("probe.Far", "Call");
                with::<u32>(|token| {
                    proxy_grpc_call(
                        a.as_ptr(),
                        a.len(),
                        service.as_ptr(),
                        service.len(),
                        method.as_ptr(),
                        method.len(),
                        std::ptr::null(),
                        0,
                        b.as_ptr(),
                        b.len(),
                        number(&c),
                        token,
                    )
                })
            }
            "grpcstream" => {
                let (service, method) = ("probe.Far", "Stream");
                with::<u32>(|token| {
                    proxy_grpc_stream(
                        a.as_ptr(),
                        a.len(),
                        service.as_ptr(),
                        service.len(),
                        method.as_ptr(),
                        method.len(),
                        std::ptr::null(),
                        0,
                        token,
                    )
                })
            }
            "grpcsend" => status(proxy_grpc_send(number(&a), b.as_ptr(), b.len(), number(&c))),
            "grpcclose" => status(proxy_grpc_close(number(&a))),
            "grpccancel" => status(proxy_grpc_cancel(number(&a))),
            "badptr" => status(proxy_log(2, 0xffff_fff0_usize as *const u8, 64)),
            "badlevel" => status(proxy_log(9, a.as_ptr(), a.len())),
            "print" => {
                println!("{a}");
                eprintln!("{a}");
                String::new()
            }
            "env" => format!("{:?}", std::env::vars().collect::<Vec<_>>()),
            "wasi" => wasi(),
            "exit" => std::process::exit(3),
            "trap" => std::process::abort(),
            other => panic!("no such command: {other}"),
        }
    }
}
