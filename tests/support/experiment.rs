//! A tiny experiment on embedded digits.

/// Three steps an epoch.
pub const EXPERIMENT: &str = r#"
dataset = { name = "subset", train = 24, of = "digits" }
backbone = { name = "resnet", depth = 18, stem = "cifar", width = 4 }
architecture = { name = "simclr", out = 16 }
objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
optimizer = "sgd"
device = "cpu"
views.size = 16
train = { epochs = 3, batch_size = 8, lr = 0.01, warmup_epochs = 1, threads = 2, log_every = 2 }
evaluations = { knn.k = 5, linear.max_iter = 3 }
"#;
