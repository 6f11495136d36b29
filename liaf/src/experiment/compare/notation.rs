//! Networks in one line, as papers write them.

use liaf_core::NetworkConfig;
use liaf_core::layer::{LayerConfig, Pair};
use liaf_core::neuron::Output;

/// A network as `LIAF 16C3-AP2-128FC-7FC`: its kinds of neurons and recurrent layers, and the layers that have
/// weights or make images smaller.
pub(super) fn notation(network: &NetworkConfig) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    let mut layers: Vec<String> = Vec::new();
    for node in &network.layers {
        if let Some(kind) = core(&node.layer)
            && !kinds.contains(&kind)
        {
            kinds.push(kind);
        }
        layers.extend(layer(&node.layer));
    }
    let all = layers.join("-");
    if kinds.is_empty() { all } else { format!("{} {all}", kinds.join("+")) }
}

/// What a network is named after.
fn core(layer: &LayerConfig) -> Option<&'static str> {
    match layer {
        LayerConfig::Neuron(neuron) => match neuron.output {
            Output::Spike => Some("LIF"),
            Output::Analog(_) => Some("LIAF"),
            Output::Membrane => None,
        },
        LayerConfig::Plif(_) => Some("PLIF"),
        LayerConfig::Rnn(_) => Some("RNN"),
        LayerConfig::Gru(_) => Some("GRU"),
        LayerConfig::Lstm(_) => Some("LSTM"),
        LayerConfig::ConvLstm(_) => Some("ConvLSTM"),
        LayerConfig::Conv3d(_) => Some("Conv3D"),
        _ => None,
    }
}

fn layer(layer: &LayerConfig) -> Option<String> {
    let side = |Pair([height, width]): Pair| match height == width {
        true => height.to_string(),
        false => format!("{height}x{width}"),
    };
    Some(match layer {
        LayerConfig::Conv2d(conv) => format!("{}C{}", conv.channels, side(conv.kernel)),
        LayerConfig::Conv3d(conv) => format!("{}C{}", conv.channels, side(conv.kernel)),
        LayerConfig::ConvLstm(conv) => format!("{}ConvLSTM{}", conv.channels, side(conv.kernel)),
        LayerConfig::AvgPool(pool) => format!("AP{}", side(pool.kernel)),
        LayerConfig::MaxPool(pool) => format!("MP{}", side(pool.kernel)),
        LayerConfig::Dense(dense) => format!("{}FC", dense.units),
        LayerConfig::Rnn(rnn) => format!("{}RNN", rnn.units),
        LayerConfig::Gru(gru) => format!("{}GRU", gru.units),
        LayerConfig::Lstm(lstm) => format!("{}LSTM", lstm.units),
        LayerConfig::Embedding(embedding) => format!("{}E", embedding.length),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_written_as_in_papers() {
        let of = |layers: &str| {
            let text = format!("inputs.x.shape = [2, 8, 8]\nlayers = [{layers}]");
            notation(&NetworkConfig::from_toml(&text).unwrap())
        };
        let conv =
            "{ type = 'conv2d', channels = 16, kernel = 3, padding = 1 }, { type = 'neuron' }";
        let rest = "{ type = 'avg_pool', kernel = 2 }, { type = 'flatten' }, { type = 'dense', units = 7 }";
        assert_eq!(of(&format!("{conv}, {rest}")), "LIAF 16C3-AP2-7FC");
        let spiking = conv.replace("'neuron'", "'neuron', output = 'spike'");
        assert_eq!(of(&format!("{spiking}, {rest}")), "LIF 16C3-AP2-7FC");
        assert_eq!(of("{ type = 'flatten' }, { type = 'gru', units = 5 }"), "GRU 5GRU");
        let wide = "{ type = 'conv2d', channels = 4, kernel = [1, 3] }";
        assert_eq!(of(wide), "4C1x3");
    }
}
