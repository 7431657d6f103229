//! Learning rates that fall from the last layer to the first.
//!
//! Source: Bao et al., "BEiT", ICLR 2022, arXiv 2106.08254, and `util/lr_decay.py` of facebookresearch/mae.

/// The factors of the learning rate of these variables of an encoder: `decay` to the power of the layers between each and the
/// classifier, whose factor is 1.
///
/// Layers are told by names: the stages `layer1` to `layer4` of a ResNet, and the numbers of a transformer's blocks (`blocks.3`).
/// A variable without a number is of the first layer, such as `conv1` or `pos_embed`, but for the norm behind the last block, which
/// is of the classifier's.
pub fn rates(names: impl IntoIterator<Item = String>, decay: f64) -> Vec<(String, f64)> {
    let names: Vec<_> = names.into_iter().collect();
    let last = names.iter().filter_map(|name| numbered(name)).max().unwrap_or(0) + 1;
    let rate = |name: String| {
        let layer = numbered(&name).unwrap_or(if is_behind(&name) { last } else { 0 });
        (name, decay.powi((last - layer) as i32))
    };
    names.into_iter().map(rate).collect()
}

/// The number of a variable's layer, from 1.
fn numbered(name: &str) -> Option<usize> {
    // The last part is the variable's own name.
    let (layers, _) = name.rsplit_once('.')?;
    layers.split('.').find_map(|part| match part.strip_prefix("layer") {
        Some(stage) if !stage.is_empty() => stage.parse().ok(),
        _ => part.parse().ok().map(|block: usize| block.saturating_add(1)),
    })
}

/// Returns true for what a transformer has behind its blocks.
fn is_behind(name: &str) -> bool {
    ["norm.", "fc_norm."].iter().any(|norm| name.starts_with(norm))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<f64> {
        let rates = rates(names.iter().map(ToString::to_string), 0.5);
        rates.into_iter().map(|(_, rate)| rate).collect()
    }

    #[test]
    fn rates_fall_from_the_classifier_to_the_first_layer() {
        let vit = [
            "cls_token",
            "pos_embed",
            "patch_embed.proj.weight",
            "blocks.0.norm1.weight",
            "blocks.1.mlp.fc1.weight",
            "norm.bias",
        ];
        // As MAE's get_layer_id_for_vit with 2 blocks: ids 0, 0, 0, 1, 2, 3.
        assert_eq!(of(&vit), [0.125, 0.125, 0.125, 0.25, 0.5, 1.0]);
        let resnet = [
            "conv1.weight",
            "bn1.bias",
            "layer1.0.conv1.weight",
            "layer2.1.downsample.0.weight",
            "layer4.1.bn2.weight",
        ];
        assert_eq!(of(&resnet), [1.0 / 32.0, 1.0 / 32.0, 1.0 / 16.0, 1.0 / 8.0, 0.5]);
        assert_eq!(
            of(&["encoder.layer.1.output.dense.weight", "encoder.layer.0.x.weight"]),
            [0.5, 0.25]
        );
        assert_eq!(of(&["weight"]), [0.5]);
    }
}
